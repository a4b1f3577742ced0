using Gudp.Core.Simulation;

namespace Gudp.Tools.Relay;

/// <summary>What a relay did so far.</summary>
/// <param name="ToTarget">Datagrams of all clients on their way to the target.</param>
/// <param name="ToClients">Datagrams of the target on their way back.</param>
/// <param name="Clients">Clients heard from within the last minute.</param>
/// <param name="Refused">Dropped before any fault: too many clients, too much under way, or from a stranger.</param>
/// <param name="SendFailed">Passed the link, but the system did not take them.</param>
/// <param name="Rebindings">How often a client got a new port towards the target.</param>
internal readonly record struct RelayCounts(
    SimulatedFaults ToTarget,
    SimulatedFaults ToClients,
    int Clients,
    long Refused,
    long SendFailed,
    long Rebindings);

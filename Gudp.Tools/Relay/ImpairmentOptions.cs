using Gudp.Core.Simulation;

namespace Gudp.Tools.Relay;

/// <summary>What a relay was asked to do to datagrams.</summary>
internal sealed record ImpairmentOptions
{
    /// <summary>The same seed hits the same datagrams of each client and direction.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>From each client to the target; the rate and its queue are shared by all clients.</summary>
    public LinkModel Up { get; init; } = LinkModel.Perfect;

    /// <summary>From the target to each client; the rate and its queue are shared by all clients.</summary>
    public LinkModel Down { get; init; } = LinkModel.Perfect;

    /// <summary>Both directions of each client: a delay of 20 ms adds 40 ms to a round trip.</summary>
    public LinkModel Link
    {
        init => (Up, Down) = (value, value);
    }

    /// <summary>Each client is seen from a new port so often, and its former one leads nowhere; zero = never.</summary>
    public TimeSpan RebindEvery { get; init; }
}

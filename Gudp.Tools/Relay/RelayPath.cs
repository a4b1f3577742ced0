using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;

namespace Gudp.Tools.Relay;

/// <summary>
/// One direction of a relay: a simulated network that is driven by real time. What enters at a client's entry socket
/// comes out of its exit socket, late, twice, damaged or not at all. All clients wait for one rate in one queue.
/// </summary>
internal sealed class RelayPath
{
    // Names inside the simulated network only; they decide the draws and must not change.
    private const uint ClientSide = 0x0A01_0001;
    private const uint TargetSide = 0x0A02_0001;
    private const int Port = 1;

    // Two seconds at full speed. Beyond that somebody floods a slow link.
    private const int MostUnderWay = 40_000;

    // Read out in the same pass in which it arrives, so that this never fills before the limit above.
    private const int ReceiveBufferBytes = int.MaxValue;

    private readonly bool _isToTarget;

    internal RelayPath(ImpairmentOptions options, bool isToTarget)
    {
        _isToTarget = isToTarget;
        Network = new SimulatedNetwork(options.Seed)
        {
            DefaultLink = isToTarget ? options.Up : options.Down,
            HasOneBottleneck = true,
        };
    }

    internal SimulatedNetwork Network { get; }

    internal bool IsFull => Network.UnderWay >= MostUnderWay;

    /// <summary>The draws of one client's datagrams in this direction; foretells which are lost.</summary>
    internal LinkDraws DrawsOf(int slot)
        => Network.DrawsOf(PeerAddress.FromIPv4(EntryOf(slot), 0), PeerAddress.FromIPv4(ExitOf(slot), 0));

    /// <summary>Begins to carry the datagrams of the client in this slot.</summary>
    internal Route Open(int slot)
    {
        SimulatedHost entry = Network.AddHost(EntryOf(slot));
        SimulatedHost exit = Network.AddHost(ExitOf(slot));

        return new Route(
            entry,
            exit,
            entry.Open(entry.Address.WithPort(Port), 0, 0),
            exit.Open(exit.Address.WithPort(Port), 0, ReceiveBufferBytes));
    }

    private uint EntryOf(int slot) => (_isToTarget ? ClientSide : TargetSide) + (uint)slot;

    private uint ExitOf(int slot) => (_isToTarget ? TargetSide : ClientSide) + (uint)slot;

    /// <summary>One client's way through this direction.</summary>
    internal sealed record Route(
        SimulatedHost EntryHost,
        SimulatedHost ExitHost,
        IDatagramSocket Entry,
        IDatagramSocket Exit)
    {
        internal void Send(ReadOnlySpan<byte> datagram) => Entry.TrySend(datagram, datagram.Length, Exit.LocalAddress);

        internal void Close()
        {
            EntryHost.Dispose();
            ExitHost.Dispose();
        }
    }
}

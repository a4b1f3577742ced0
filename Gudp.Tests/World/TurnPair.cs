using System.Text;
using Gudp.Core;

namespace Gudp.Tests.World;

/// <summary>Two daemons with threads of their own and a connection between them over the loopback.</summary>
internal sealed class TurnPair : IDisposable
{
    private readonly byte[] _buffer = new byte[2048];

    internal TurnPair(TimeSpan patience, TimeSpan tick = default, GudpConfig? config = null)
    {
        GudpConfig used = config ?? SimWorld.Plain with { Waiting = WaitingPolicy.Block };
        ClientNetwork = new CountingNetwork(tick);
        ServerNetwork = new CountingNetwork(tick);
        ClientDaemon = Make(used, ClientNetwork, Trace);
        ServerDaemon = Make(used, ServerNetwork, null);
        ClientDaemon.Start();
        ServerDaemon.Start();
        Listening = ServerDaemon.Open(PeerAddress.LoopbackIPv4(0));
        Listening.Listen();
        Client = ClientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(Listening.LocalAddress);
        Server = Listening.Accept(patience) ?? throw new TimeoutException("Nobody connected.");

        if (!Client.WaitUntilOpen(patience))
        {
            throw new TimeoutException("It did not open.");
        }
    }

    internal LeaderTrace Trace { get; } = new();

    internal CountingNetwork ClientNetwork { get; }

    internal CountingNetwork ServerNetwork { get; }

    internal Daemon ClientDaemon { get; }

    internal Daemon ServerDaemon { get; }

    internal Endpoint Listening { get; }

    internal Connection Client { get; }

    internal Connection Server { get; }

    /// <summary>Until nothing of the client is in flight.</summary>
    internal void Settle()
    {
        if (!SpinWait.SpinUntil(() => Client.ReadCounters().BytesInFlight == 0, TimeSpan.FromSeconds(20)))
        {
            throw new TimeoutException("The handshake's last packets are still in flight.");
        }
    }

    internal string ReceiveAtServer(TimeSpan patience) => Receive(Server, patience);

    internal string Receive(Connection at, TimeSpan patience)
        => at.Receive(_buffer, patience, out int length) == ReceiveStatus.Received
            ? Encoding.UTF8.GetString(_buffer, 0, length)
            : "";

    public void Dispose()
    {
        ClientDaemon.Shutdown(TimeSpan.Zero);
        ServerDaemon.Shutdown(TimeSpan.Zero);
    }

    private static Daemon Make(GudpConfig config, CountingNetwork network, IPacketTrace? trace)
        => new(config, network, TimeProvider.System, SystemSecrets.Instance, new Prng(1)) { Trace = trace };
}

using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Sinks that throw or block: scenario H82.</summary>
[TestFixture]
public sealed class SinkFaultTests
{
    private const int MostTurns = 200_000;

    [Test]
    public void H82_a_sink_that_throws_at_a_message_ends_its_connection_and_takes_nothing([Values(0, 1, 4)] int mode)
    {
        FaultySink sink = new() { ThrowsAtMessage = true };
        using HandPeer peer = new(default, sink);
        byte[] content = mode == 0 ? HandFrames.Data(3, 0, [3, 1]) : HandFrames.Message(3, 0, 1, [1]);

        PayloadVerdict first = peer.Give(HandFrames.Open(3, (byte)mode), content);
        PayloadVerdict second = peer.Give(HandFrames.Open(4, 1), HandFrames.Message(4, 0, 1, [2]));

        Assert.That((first, second), Is.EqualTo((PayloadVerdict.Held, PayloadVerdict.Held)));
        Assert.That(peer.End.CloseReason?.Code, Is.EqualTo(CloseCode.HandlerFault));
        Assert.That(sink.Messages, Is.EqualTo(1), "A sink that failed is not called again.");
        Assert.That(peer.Written().Where(text => text.Contains("Taken")), Is.Empty);
    }

    [Test]
    public void H82_a_sink_that_throws_at_a_change_ends_its_connection_and_hears_the_close()
    {
        FaultySink sink = new() { ThrowsAtChange = true };
        using HandPeer peer = new(default, sink);

        peer.EndConnection();

        Assert.That(peer.End.CloseReason?.Code, Is.EqualTo(CloseCode.HandlerFault));
        Assert.That(sink.Changes, Is.EqualTo(new[] { PeerChange.Opened, PeerChange.Closed }));
    }

    // The clock moves while the sink is called, as it does when the sink blocks.
    [Test]
    public void H82_a_sink_that_blocks_shows_in_the_counters_and_other_peers_go_on()
    {
        MessagingConfig config = new() { Core = SimWorld.Plain };
        MovingTime time = new();
        FaultySink sink = new() { Blocks = () => time.Move(TimeSpan.FromMilliseconds(150)) };
        using Daemon daemon = new(
            config.Core, new UdpNetwork(), time, new SeededSecrets(new Prng(1)), new Prng(2));
        using MessageEndpoint server = new(daemon, PeerAddress.LoopbackIPv4(0), config, sink);
        using MessageEndpoint client = new(daemon, PeerAddress.LoopbackIPv4(0), config);
        server.Listen();
        using Peer peer = client.Connect(server.LocalAddress);
        long before = daemon.ReadCounters().LongTurns;

        peer.TrySend([1]);
        int turns = 0;

        for (; turns < MostTurns && sink.Messages == 0; turns++)
        {
            time.Move(TimeSpan.FromMicroseconds(100));
            daemon.ProcessIO();
        }

        Assert.That(sink.Messages, Is.EqualTo(1));
        Assert.That(before, Is.Zero);
        Assert.That(daemon.ReadCounters().LongTurns, Is.EqualTo(1));
        Assert.That(peer.Status.IsFinal, Is.False);
    }

    private sealed class FaultySink : IMessageSink
    {
        internal bool ThrowsAtMessage { get; init; }

        internal bool ThrowsAtChange { get; init; }

        internal Action? Blocks { get; init; }

        internal int Messages { get; private set; }

        internal List<PeerChange> Changes { get; } = [];

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
            Messages++;
            Blocks?.Invoke();

            if (ThrowsAtMessage)
            {
                throw new NotSupportedException("As a test asks.");
            }
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            Changes.Add(change);

            if (ThrowsAtChange)
            {
                throw new NotSupportedException("As a test asks.");
            }
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }

    private sealed class MovingTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        internal void Move(TimeSpan span) => _now += span.Ticks;
    }
}

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Status;
using Gudp.Messaging.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>A session whose peer is the test: it gives packets by hand and looks at what is written back.</summary>
internal sealed class HandPeer : IDisposable
{
    private readonly SessionPair _pair;
    private readonly byte[] _buffer = new byte[1_100];
    private long _number;

    internal HandPeer(MessagingConfig config = default, IMessageSink? sink = null)
        => _pair = SessionPair.Opened(config: config, serverSink: sink);

    internal MessageSession Session => _pair.Server.Session;

    internal SessionEnd End => _pair.Server;

    internal Peer Peer => _pair.Server.Peer;

    internal Instant Now { get; set; } = new(TimeSpan.TicksPerSecond);

    /// <summary>The newest limits that were written.</summary>
    internal long ConnectionCredit { get; private set; }

    internal PayloadVerdict Give(params byte[][] frames)
    {
        PayloadVerdict verdict = Session.HandleFrames(new PacketNumber(_number++), [.. frames.SelectMany(f => f)], Now);
        Session.HandleTurnEnd(Now);
        return verdict;
    }

    /// <summary>Gives packets that must be taken.</summary>
    internal void Take(params byte[][] frames)
        => Assert.That(Give(frames), Is.EqualTo(PayloadVerdict.Held));

    /// <summary>What the session has to say, as "type lane offset" and for answers "type lane from-to ...".</summary>
    internal List<string> Written(out List<PacketNumber> packets)
    {
        List<string> written = [];
        packets = [];

        while (Session.HasDataToSend)
        {
            PacketNumber number = End.NextNumber();
            int bytes = Session.WriteFrames(number, _buffer, Now);
            Assert.That(bytes, Is.Positive);
            packets.Add(number);
            LaneFrameReader reader = new(_buffer.AsSpan(0, bytes));

            while (reader.TryNext(out LaneFrame frame))
            {
                written.Add(Describe(frame));
            }

            Assert.That(reader.IsMalformed, Is.False);
        }

        return written;
    }

    internal List<string> Written() => Written(out _);

    /// <summary>Everything there is to read, each message taken.</summary>
    internal List<byte[]> Read()
    {
        List<byte[]> read = [];

        while (Peer.TryReceive(out ReceivedMessage message))
        {
            read.Add(message.Span.ToArray());
            message.Dispose();
        }

        return read;
    }

    internal long Drops(int lane, MessageDrop cause)
        => Session.TallyOf(lane).Read(MessageCount.FirstDrop + (int)cause);

    internal void EndConnection() => _pair.End();

    public void Dispose() => _pair.Dispose();

    private string Describe(in LaneFrame frame)
    {
        if (frame.Type == FrameType.ConnectionCredit)
        {
            ConnectionCredit = frame.Offset;
        }

        if (frame.Type is not (FrameType.MessagesTaken or FrameType.MessagesRefused))
        {
            return $"{frame.Type} {frame.Lane} {frame.Offset}";
        }

        string text = $"{frame.Type} {frame.Lane}";
        IdRangeReader ids = new(frame.Content);

        while (ids.TryNext(out OffsetRange range))
        {
            text += $" {range.From}-{range.To - 1}";
        }

        return text;
    }
}

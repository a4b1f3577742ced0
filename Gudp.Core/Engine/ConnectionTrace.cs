using System;
using System.Globalization;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>Turns what one connection's engine does into events; exists only while somebody traces.</summary>
internal sealed class ConnectionTrace(IPacketTrace trace, ulong connectionId)
{
    private TraceMetrics _metrics;
    private CongestionLevel _level;
    private int _packetBytes;
    private PeerAddress? _remote;
    private long _repeats;

    /// <param name="packet">As it is remembered.</param>
    /// <param name="frames">Between the header and the trailer.</param>
    /// <param name="isProbe">It was sent to get an ack.</param>
    /// <param name="repeats">The count of content sent again: if it has grown, this packet carries some.</param>
    internal void OnSent(
        in SentPacket packet, ReadOnlySpan<byte> frames, bool isProbe, long repeats)
    {
        trace.Record(new TraceEvent
        {
            Kind = TraceEventKind.PacketSent,
            At = packet.SentAt,
            ConnectionId = connectionId,
            PacketNumber = packet.Number,
            Bytes = packet.Bytes,
            Frames = FramesIn(frames),
            IsAckEliciting = packet.IsAckEliciting,
            IsRepeat = repeats != _repeats,
            IsSizeProbe = packet.IsSizeProbe,
            Trigger = isProbe ? TraceTrigger.PtoProbe : TraceTrigger.None,
        });
        _repeats = repeats;
    }

    /// <param name="bytes">Zero if there was nothing to send.</param>
    /// <param name="now">The turn's moment.</param>
    internal void OnHandshakeSent(int bytes, Instant now)
    {
        if (bytes > 0)
        {
            trace.Record(new TraceEvent
            {
                Kind = TraceEventKind.PacketSent,
                At = now,
                ConnectionId = connectionId,
                PacketNumber = -1,
                Bytes = bytes,
            });
        }
    }

    internal void OnReceived(PacketNumber number, ReadOnlySpan<byte> frames, int bytes, Instant now)
        => trace.Record(new TraceEvent
        {
            Kind = TraceEventKind.PacketReceived,
            At = now,
            ConnectionId = connectionId,
            PacketNumber = number.Value,
            Bytes = bytes,
            Frames = FramesIn(frames),
        });

    internal void OnFate(TraceEventKind fate, long number, Instant now, TraceTrigger trigger = TraceTrigger.None)
        => trace.Record(new TraceEvent
        {
            Kind = fate,
            At = now,
            ConnectionId = connectionId,
            PacketNumber = number,
            Trigger = trigger,
        });

    internal void OnState(ConnectionState before, ConnectionState after, Instant now)
        => OnChange(TraceEventKind.ConnectionStateUpdated, NameOf(before), NameOf(after), now);

    /// <summary>The turn is over: what has changed since the last one.</summary>
    internal void OnTurnEnd(in TraceMetrics metrics, CongestionLevel level, int packetBytes, Instant now)
    {
        if (packetBytes != _packetBytes)
        {
            OnChange(TraceEventKind.MtuUpdated, TextOf(_packetBytes), TextOf(packetBytes), now);
            _packetBytes = packetBytes;
        }

        if (level != _level)
        {
            OnChange(TraceEventKind.CongestionStateUpdated, NameOf(_level), NameOf(level), now);
            _level = level;
        }

        if (metrics != _metrics)
        {
            _metrics = metrics;
            trace.Record(new TraceEvent
            {
                Kind = TraceEventKind.MetricsUpdated,
                At = now,
                ConnectionId = connectionId,
                Metrics = metrics,
            });
        }
    }

    /// <summary>The peer is at this address now; called at each turn's end.</summary>
    internal void OnRemote(PeerAddress remote, Instant now)
    {
        if (_remote != remote)
        {
            OnChange(TraceEventKind.PathUpdated, _remote?.ToString() ?? "", remote.ToString(), now);
            _remote = remote;
        }
    }

    private void OnChange(TraceEventKind kind, string before, string after, Instant now)
        => trace.Record(new TraceEvent
        {
            Kind = kind,
            At = now,
            ConnectionId = connectionId,
            Before = before,
            After = after,
        });

    private static TraceFrames FramesIn(ReadOnlySpan<byte> frames)
    {
        TraceFrames found = TraceFrames.None;
        FrameReader reader = new(frames);

        while (reader.TryNext(out Frame frame))
        {
            found |= frame.Type <= FrameType.HandshakeDone ? (TraceFrames)(1 << frame.Type) : TraceFrames.None;
        }

        return reader.Payload.IsEmpty ? found : found | TraceFrames.Payload;
    }

    private static string TextOf(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(CongestionLevel level) => level switch
    {
        CongestionLevel.Clear => "clear",
        CongestionLevel.Busy => "busy",
        _ => "bad",
    };

    private static string NameOf(ConnectionState state) => state switch
    {
        ConnectionState.Idle => "idle",
        ConnectionState.Opening => "opening",
        ConnectionState.Open => "open",
        ConnectionState.Flushing => "flushing",
        ConnectionState.Closing => "closing",
        ConnectionState.Draining => "draining",
        _ => "ended",
    };
}

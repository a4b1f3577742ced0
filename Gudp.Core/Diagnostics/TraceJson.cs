// One event as one record of a JSON text sequence (RFC 7464), with names and fields of qlog. Written into bytes by
// hand: a trace that is on is called several times per packet, and allocates nothing either.
using System;
using System.Buffers.Text;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Gudp.Core.Diagnostics;

/// <summary>Writes events and the head of a file.</summary>
internal static class TraceJson
{
    /// <summary>No event is longer, whatever its texts are: they are cut.</summary>
    internal const int MostEventBytes = 1_024;

    private const int MostTextCharacters = 100;

    private static readonly string[] DropNames = [.. Enum.GetNames<DropReason>().Select(SnakeCase)];

    private static readonly (TraceFrames Frame, string Name)[] FrameNames =
    [
        (TraceFrames.Padding, "padding"),
        (TraceFrames.Ping, "ping"),
        (TraceFrames.Ack, "ack"),
        (TraceFrames.Close, "connection_close"),
        (TraceFrames.PathChallenge, "path_challenge"),
        (TraceFrames.PathResponse, "path_response"),
        (TraceFrames.NewId, "new_connection_id"),
        (TraceFrames.RetireId, "retire_connection_id"),
        (TraceFrames.AckFrequency, "ack_frequency"),
        (TraceFrames.Settled, "settled"),
        (TraceFrames.HandshakeDone, "handshake_done"),
        (TraceFrames.Payload, "payload"),
    ];

    /// <summary>The first record: what the file is (qlog main schema, section 5.2).</summary>
    internal static byte[] Head(string title) => Encoding.UTF8.GetBytes(
        "\u001e{\"file_schema\":\"urn:ietf:params:qlog:file:sequential\","
        + "\"serialization_format\":\"application/qlog+json-seq\","
        + $"\"title\":\"{JsonEncodedText.Encode(title)}\","
        + "\"trace\":{\"event_schemas\":[\"urn:ietf:params:qlog:events:quic\",\"urn:gudp:events:1\"],"
        + "\"vantage_point\":{\"type\":\"unknown\"},"
        + "\"common_fields\":{\"time_format\":\"relative_to_epoch\","
        + "\"reference_time\":{\"clock_type\":\"monotonic\",\"epoch\":\"unknown\"}}}}\n");

    /// <summary>The record that stands where events are missing.</summary>
    internal static int WriteGap(Span<byte> destination, Instant at, long lost)
    {
        TraceText text = new(destination);
        text.Begin(at, "gudp:events_lost");
        text.Add("\"count\":"u8);
        text.Add(lost);
        text.Add("}}\n"u8);
        return text.Length;
    }

    /// <param name="destination">At least <see cref="MostEventBytes"/>.</param>
    /// <param name="happened">The event.</param>
    /// <returns>Bytes written.</returns>
    internal static int Write(Span<byte> destination, in TraceEvent happened)
    {
        TraceText text = new(destination);
        text.Begin(happened.At, NameOf(happened.Kind), happened.ConnectionId);

        switch (happened.Kind)
        {
            case TraceEventKind.PacketSent:
            case TraceEventKind.PacketReceived:
                WritePacket(ref text, happened);
                break;
            case TraceEventKind.PacketDropped:
                text.Add("\"raw\":{\"length\":"u8);
                text.Add(happened.Bytes);
                text.Add("},\"trigger\":"u8);
                text.AddQuoted(DropNames[(int)happened.Drop]);
                break;
            case TraceEventKind.PacketAcked:
                text.Add("\"packet_numbers\":["u8);
                text.Add(happened.PacketNumber);
                text.Add("]"u8);
                break;
            case TraceEventKind.PacketLost:
            case TraceEventKind.SpuriousLoss:
                WriteHeader(ref text, happened);
                WriteTrigger(ref text, happened.Trigger);
                break;
            case TraceEventKind.MetricsUpdated:
                WriteMetrics(ref text, happened.Metrics);
                break;
            default:
                text.Add("\"old\":"u8);
                text.AddQuoted(Cut(happened.Before));
                text.Add(",\"new\":"u8);
                text.AddQuoted(Cut(happened.After));
                break;
        }

        text.Add("}}\n"u8);
        return text.Length;
    }

    private static ReadOnlySpan<char> Cut(string? text)
        => text.AsSpan(0, Math.Min(text?.Length ?? 0, MostTextCharacters));

    private static string NameOf(TraceEventKind kind) => kind switch
    {
        TraceEventKind.PacketSent => "quic:packet_sent",
        TraceEventKind.PacketReceived => "quic:packet_received",
        TraceEventKind.PacketDropped => "quic:packet_dropped",
        TraceEventKind.PacketAcked => "quic:packets_acked",
        TraceEventKind.PacketLost => "quic:packet_lost",
        TraceEventKind.SpuriousLoss => "gudp:spurious_loss",
        TraceEventKind.MetricsUpdated => "quic:recovery_metrics_updated",
        TraceEventKind.CongestionStateUpdated => "quic:congestion_state_updated",
        TraceEventKind.ConnectionStateUpdated => "quic:connection_state_updated",
        TraceEventKind.MtuUpdated => "quic:mtu_updated",
        _ => "gudp:path_updated",
    };

    private static void WriteHeader(ref TraceText text, in TraceEvent happened)
    {
        text.Add("\"header\":{\"packet_type\":"u8);

        if (happened.PacketNumber < 0)
        {
            text.Add("\"handshake\"}"u8);
            return;
        }

        text.Add("\"1RTT\",\"packet_number\":"u8);
        text.Add(happened.PacketNumber);
        text.Add("}"u8);
    }

    private static void WritePacket(ref TraceText text, in TraceEvent happened)
    {
        WriteHeader(ref text, happened);
        text.Add(",\"raw\":{\"length\":"u8);
        text.Add(happened.Bytes);
        text.Add("},\"frames\":["u8);
        bool isFirst = true;

        foreach ((TraceFrames frame, string name) in FrameNames)
        {
            if ((happened.Frames & frame) != 0)
            {
                text.Add(isFirst ? "{\"frame_type\":"u8 : ",{\"frame_type\":"u8);
                text.AddQuoted(name);
                text.Add("}"u8);
                isFirst = false;
            }
        }

        text.Add("]"u8);

        if (happened.Kind == TraceEventKind.PacketSent)
        {
            WriteTrigger(ref text, happened.Trigger);
            text.Add(happened.IsAckEliciting ? ",\"ack_eliciting\":true"u8 : ",\"ack_eliciting\":false"u8);

            if (happened.IsSizeProbe)
            {
                text.Add(",\"is_mtu_probe_packet\":true"u8);
            }

            if (happened.IsRepeat)
            {
                text.Add(",\"repeats\":true"u8);
            }
        }
    }

    private static void WriteTrigger(ref TraceText text, TraceTrigger trigger)
    {
        switch (trigger)
        {
            case TraceTrigger.ReorderingThreshold:
                text.Add(",\"trigger\":\"reordering_threshold\""u8);
                break;
            case TraceTrigger.TimeThreshold:
                text.Add(",\"trigger\":\"time_threshold\""u8);
                break;
            case TraceTrigger.PtoProbe:
                text.Add(",\"trigger\":\"pto_probe\""u8);
                break;
            default:
                break;
        }
    }

    private static void WriteMetrics(ref TraceText text, in TraceMetrics metrics)
    {
        const long BitsPerByte = 8;

        if (metrics.LatestRtt > TimeSpan.Zero)
        {
            text.Add("\"min_rtt\":"u8);
            text.AddMilliseconds(metrics.MinRtt.Ticks);
            text.Add(",\"smoothed_rtt\":"u8);
            text.AddMilliseconds(metrics.SmoothedRtt.Ticks);
            text.Add(",\"latest_rtt\":"u8);
            text.AddMilliseconds(metrics.LatestRtt.Ticks);
            text.Add(","u8);
        }

        text.Add("\"pto_count\":"u8);
        text.Add(metrics.PtoCount);
        text.Add(",\"congestion_window\":"u8);
        text.Add(metrics.WindowBytes);
        text.Add(",\"bytes_in_flight\":"u8);
        text.Add(metrics.BytesInFlight);

        if (metrics.PacingBytesPerSecond > 0)
        {
            text.Add(",\"pacing_rate\":"u8);
            text.Add(Math.Min(metrics.PacingBytesPerSecond, long.MaxValue / BitsPerByte) * BitsPerByte);
        }
    }

    private static string SnakeCase(string name)
    {
        StringBuilder text = new(name.Length + 8);

        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLower(letter, CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}

/// <summary>Bytes of a record (T-1.3), one piece behind the other. The room suffices for every event.</summary>
internal ref struct TraceText(Span<byte> room)
{
    private readonly Span<byte> _room = room;

    internal int Length { get; private set; }

    internal void Begin(Instant at, string name, ulong connectionId = 0)
    {
        Add("\u001e{\"time\":"u8);
        AddMilliseconds(at.Ticks);
        Add(",\"name\":"u8);
        AddQuoted(name);

        if (connectionId != 0)
        {
            Add(",\"group_id\":\""u8);
            Utf8Formatter.TryFormat(connectionId, _room[Length..], out int written, new('x', 16));
            Length += written;
            Add("\""u8);
        }

        Add(",\"data\":{"u8);
    }

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_room[Length..]);
        Length += bytes.Length;
    }

    internal void Add(long number)
    {
        Utf8Formatter.TryFormat(number, _room[Length..], out int written);
        Length += written;
    }

    /// <summary>Ticks of 100 ns as milliseconds with all their digits.</summary>
    internal void AddMilliseconds(long ticks)
    {
        Add(ticks / TimeSpan.TicksPerMillisecond);
        Add("."u8);
        Utf8Formatter.TryFormat(ticks % TimeSpan.TicksPerMillisecond, _room[Length..], out int written, new('D', 4));
        Length += written;
    }

    /// <summary>Our own names and numbers only: what would need escaping becomes '?'.</summary>
    internal void AddQuoted(ReadOnlySpan<char> text)
    {
        Add("\""u8);

        foreach (char letter in text)
        {
            _room[Length++] = letter is >= ' ' and <= '~' and not '"' and not '\\' ? (byte)letter : (byte)'?';
        }

        Add("\""u8);
    }
}

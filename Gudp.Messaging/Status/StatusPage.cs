using System;
using System.Buffers;
using System.Text.Json;
using Gudp.Core;

namespace Gudp.Messaging.Status;

/// <summary>Writes what the peers of daemons do as one JSON object. Any thread; cold path.</summary>
internal static class StatusPage
{
    // An entry, with the longest diagnosis there is, takes about 1.5 KB.
    private const int LongestEntryBytes = 4 * 1024;

    internal static void Write(ArrayBufferWriter<byte> destination, ReadOnlySpan<Daemon> daemons)
    {
        using Utf8JsonWriter json = new(destination);
        int leftOut = 0;

        json.WriteStartObject();
        json.WriteNumber("version", 1);
        json.WriteStartArray("peers");

        foreach (Daemon daemon in daemons)
        {
            foreach (Connection connection in daemon.ReadConnections())
            {
                if (json.BytesCommitted + json.BytesPending > StatusReporter.MostAnswerBytes - LongestEntryBytes)
                {
                    leftOut++;
                }
                else
                {
                    WritePeer(json, connection);
                }
            }
        }

        json.WriteEndArray();
        json.WriteNumber("peersLeftOut", leftOut);
        json.WriteEndObject();
    }

    private static void WritePeer(Utf8JsonWriter json, Connection connection)
    {
        ConnectionCounters counters = connection.ReadCounters();
        ConnectionStatus status = connection.Status;

        json.WriteStartObject();
        json.WriteString("local", connection.LocalAddress.ToString());
        json.WriteString("remote", connection.RemoteAddress.ToString());
        json.WriteString("status", status.ToString());
        json.WriteBoolean("isOpen", status.IsOpen);
        json.WriteNumber("rttMicroseconds", Microseconds(counters.SmoothedRtt));
        json.WriteNumber("leastRttMicroseconds", Microseconds(counters.MinRtt));
        json.WriteNumber("queueDelayMicroseconds", Microseconds(connection.PredictedQueueDelay));
        json.WriteNumber("packetsAcked", counters.PacketsAcked);
        json.WriteNumber("packetsLost", counters.PacketsLost);
        json.WriteNumber("bytesSent", counters.BytesSent);
        json.WriteNumber("bytesReceived", counters.BytesReceived);
        json.WriteNumber("heartbeatsSent", counters.HeartbeatsSent);
        json.WriteNumber("windowBytes", counters.WindowBytes);
        json.WriteNumber("bytesInFlight", counters.BytesInFlight);

        if (connection.Payload is ConnectionHost { LastSession: { } session })
        {
            WriteMessages(json, session.ReadCounters());
            json.WriteString("slow", session.SlowConsumer?.ToString() ?? "");
        }

        json.WriteEndObject();
    }

    private static void WriteMessages(Utf8JsonWriter json, in PeerCounters counters)
    {
        json.WriteNumber("messagesSent", counters.Messages.MessagesSent);
        json.WriteNumber("messagesReceived", counters.Messages.MessagesReceived);
        json.WriteNumber("messagesArrived", counters.Messages.TransfersReceived);
        json.WriteNumber("messagesGivenUp", counters.Messages.TransfersExpired + counters.Messages.TransfersCancelled);
        json.WriteNumber("messagesDropped", counters.Messages.DroppedTotal);
        json.WriteNumber("sendsRefused", counters.Messages.SendsRefusedTotal);
        json.WriteNumber("waitingBytes", counters.Waiting.Bytes);
        json.WriteNumber("waitingLimitBytes", counters.Waiting.LimitBytes);
        json.WriteNumber("unreadBytes", counters.Unread.Bytes);
        json.WriteNumber("unreadLimitBytes", counters.Unread.LimitBytes);
        json.WriteNumber("memoryBytes", counters.Memory.Bytes);
        json.WriteNumber("memoryLimitBytes", counters.Memory.LimitBytes);
    }

    private static long Microseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}

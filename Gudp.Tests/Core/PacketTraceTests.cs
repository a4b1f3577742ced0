using System.Text;
using System.Text.Json;
using Gudp.Core;
using Gudp.Core.Diagnostics;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class PacketTraceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public void One_seed_gives_the_same_trace_to_the_byte()
    {
        byte[] first = BytesOf(Transfer(seed: 7).Sender);
        byte[] second = BytesOf(Transfer(seed: 7).Sender);
        byte[] other = BytesOf(Transfer(seed: 8).Sender);

        Assert.That(second, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [Test]
    public void The_events_agree_with_the_counters()
    {
        Traced traced = Transfer(seed: 3);

        ConnectionCounters counters = traced.Counters;
        Assert.That(Count(traced.Sender, TraceEventKind.PacketSent), Is.EqualTo(counters.DatagramsSent));
        Assert.That(Count(traced.Sender, TraceEventKind.PacketReceived), Is.EqualTo(counters.DatagramsReceived));
        Assert.That(Count(traced.Sender, TraceEventKind.PacketAcked), Is.EqualTo(counters.PacketsAcked).And.Positive);
        Assert.That(
            Count(traced.Sender, TraceEventKind.PacketLost),
            Is.EqualTo(counters.PacketsLost + counters.SizeProbesLost).And.Positive);
        Assert.That(
            Count(traced.Sender, TraceEventKind.SpuriousLoss), Is.EqualTo(counters.PacketsSpuriouslyLost));
        Assert.That(
            traced.Sender.Events.Where(e => e.Kind == TraceEventKind.PacketSent).Sum(e => (long)e.Bytes),
            Is.EqualTo(counters.BytesSent));
        Assert.That(
            Count(traced.Receiver, TraceEventKind.PacketDropped), Is.EqualTo(traced.DroppedAtReceiver).And.Positive);
    }

    [Test]
    public void A_connection_s_life_and_numbers_are_in_the_trace()
    {
        Traced traced = Transfer(seed: 4);

        IReadOnlyList<TraceEvent> events = traced.Sender.Events;
        string[] states = [.. events
            .Where(happened => happened.Kind == TraceEventKind.ConnectionStateUpdated)
            .Select(happened => happened.After!)];
        Assert.That(states, Is.EqualTo(new[] { "opening", "open", "flushing", "closing", "draining", "ended" }));

        TraceEvent metrics = events.Last(happened => happened.Kind == TraceEventKind.MetricsUpdated);
        Assert.That(metrics.Metrics.LatestRtt, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(20)));
        Assert.That(metrics.Metrics.WindowBytes, Is.Positive);

        TraceEvent lost = events.First(happened => happened.Kind == TraceEventKind.PacketLost);
        Assert.That(lost.Trigger, Is.Not.EqualTo(TraceTrigger.None));
        Assert.That(events.Where(happened => happened.Kind == TraceEventKind.PacketSent)
            .Any(happened => happened.Frames.HasFlag(TraceFrames.Payload) && happened.IsAckEliciting), Is.True);
        Assert.That(events.Zip(events.Skip(1)).All(pair => pair.First.At <= pair.Second.At), Is.True);
    }

    [Test]
    public void Every_record_is_json_with_time_and_name()
    {
        string text = Encoding.UTF8.GetString(BytesOf(Transfer(seed: 5).Sender));

        string[] records = text.Split('\u001e', StringSplitOptions.RemoveEmptyEntries);

        using JsonDocument head = JsonDocument.Parse(records[0]);
        Assert.That(
            head.RootElement.GetProperty("file_schema").GetString(),
            Is.EqualTo("urn:ietf:params:qlog:file:sequential"));

        foreach (string record in records.Skip(1))
        {
            using JsonDocument read = JsonDocument.Parse(record);
            Assert.That(read.RootElement.GetProperty("time").GetDouble(), Is.Not.Negative);
            Assert.That(read.RootElement.GetProperty("name").GetString(), Does.Match("^(quic|gudp):[a-z_]+$"));
            Assert.That(read.RootElement.GetProperty("data").ValueKind, Is.EqualTo(JsonValueKind.Object));
        }
    }

    [Test]
    public void No_event_is_longer_than_its_room_whatever_it_holds()
    {
        Span<byte> room = stackalloc byte[TraceJson.MostEventBytes];

        foreach (TraceEventKind kind in Enum.GetValues<TraceEventKind>())
        {
            TraceEvent largest = new()
            {
                Kind = kind,
                At = new Instant(long.MaxValue),
                ConnectionId = ulong.MaxValue,
                PacketNumber = long.MaxValue,
                Bytes = int.MaxValue,
                Frames = (TraceFrames)(-1),
                IsRepeat = true,
                IsSizeProbe = true,
                Trigger = TraceTrigger.ReorderingThreshold,
                Drop = DropReason.AmplificationLimited,
                Before = new string('"', 5_000),
                After = new string('\n', 5_000),
                Metrics = new TraceMetrics(
                    TimeSpan.MaxValue, TimeSpan.MaxValue, TimeSpan.MaxValue, long.MaxValue, long.MaxValue)
                {
                    PacingBytesPerSecond = long.MaxValue,
                    PtoCount = int.MaxValue,
                },
            };

            int written = TraceJson.Write(room, largest);

            Assert.DoesNotThrow(() => JsonDocument.Parse(Text(largest)).Dispose());
            Assert.That(written, Is.LessThan(TraceJson.MostEventBytes - 200));
        }
    }

    [Test]
    public void A_full_log_counts_what_it_cannot_keep()
    {
        var log = new PacketTraceLog(mostEvents: 2);

        for (int i = 0; i < 5; i++)
        {
            log.Record(new TraceEvent { Kind = TraceEventKind.PacketAcked, PacketNumber = i });
        }

        Assert.That(log.Events, Has.Count.EqualTo(2));
        Assert.That(log.EventsLost, Is.EqualTo(3));
        Assert.That(Encoding.UTF8.GetString(BytesOf(log)), Does.EndWith(
            "\"name\":\"gudp:events_lost\",\"data\":{\"count\":3}}\n"));
    }

    [Test]
    public void Tracing_into_a_file_allocates_nothing_per_event()
    {
        using TraceFile trace = new(Stream.Null, "test", 64 * TraceFile.BlockBytes, long.MaxValue);
        TraceEvent happened = new() { Kind = TraceEventKind.PacketSent, Bytes = 1_200, Frames = TraceFrames.Ack };

        for (int i = 0; i < 100; i++)
        {
            trace.Record(happened);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 10_000; i++)
        {
            trace.Record(happened);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(10_000));
    }

    private static Traced Transfer(ulong seed)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = new LinkModel
        {
            Delay = TimeSpan.FromMilliseconds(10),
            LossPpm = 30_000,
            DuplicatePpm = 20_000,
            ReorderPpm = 10_000,
        };
        PacketTraceLog sender = new();
        PacketTraceLog receiver = new();
        Node left = world.AddNode(SimWorld.Plain, sender);
        Node right = world.AddNode(SimWorld.Plain, receiver);
        Endpoint server = right.Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, Limit);

        byte[] packet = new byte[1_000];
        int sent = 0;
        world.RunUntil(
            () =>
            {
                while (sent < 500 && client.TrySend(packet) == SendStatus.Accepted)
                {
                    sent++;
                }

                return sent == 500;
            },
            Limit);
        world.Run(TimeSpan.FromSeconds(3));
        client.Close();
        world.Run(TimeSpan.FromSeconds(20));
        return new Traced(
            sender, receiver, client.ReadCounters(), right.Daemon.ReadCounters().DatagramsDropped);
    }

    private static int Count(PacketTraceLog trace, TraceEventKind kind)
        => trace.Events.Count(happened => happened.Kind == kind);

    private static string Text(in TraceEvent happened)
    {
        byte[] room = new byte[TraceJson.MostEventBytes];
        return Encoding.UTF8.GetString(room, 0, TraceJson.Write(room, happened)).TrimStart('\u001e');
    }

    private static byte[] BytesOf(PacketTraceLog trace)
    {
        using MemoryStream file = new();
        trace.WriteTo(file);
        return file.ToArray();
    }

    private sealed record Traced(
        PacketTraceLog Sender, PacketTraceLog Receiver, ConnectionCounters Counters, long DroppedAtReceiver);
}

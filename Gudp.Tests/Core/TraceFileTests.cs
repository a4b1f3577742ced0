using System.Text;
using Gudp.Core;
using Gudp.Core.Diagnostics;
using Gudp.Tests.World;
using Gudp.Tools.Trace;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class TraceFileTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-trace-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    // T-1.3
    [Test]
    public void Everything_recorded_is_in_the_file()
    {
        MemoryStream file = new();

        using (TraceFile trace = new(file, "test", 4 * 1024 * 1024, long.MaxValue))
        {
            for (int i = 0; i < 5_000; i++)
            {
                trace.Record(Acked(i));
            }
        }

        TraceContent content = Read(file);
        Assert.That(content.Title, Is.EqualTo("test"));
        Assert.That(content.Events.Select(one => one.PacketNumber), Is.EqualTo(Enumerable.Range(0, 5_000)));
    }

    [Test]
    public void A_disk_that_stands_still_costs_events_and_never_the_loop()
    {
        using GatedStream file = new();
        long lost;

        using (TraceFile trace = new(file, "test", 2 * TraceFile.BlockBytes, long.MaxValue))
        {
            file.Shut();

            for (int i = 0; i < 20_000; i++)
            {
                trace.Record(Acked(i));
            }

            lost = trace.EventsLost;
            file.OpenAgain();
        }

        TraceContent content = Read(file.Written);
        long marked = content.Events.Where(one => one.Name == "gudp:events_lost").Sum(one => one.Count);
        int kept = content.Events.Count(one => one.Name == "quic:packets_acked");
        Assert.That(lost, Is.Positive);
        Assert.That(marked, Is.EqualTo(lost));
        Assert.That(kept + lost, Is.EqualTo(20_000));
    }

    [Test]
    public void A_file_that_is_full_ends_and_says_what_is_missing()
    {
        MemoryStream file = new();

        using (TraceFile trace = new(file, "test", 4 * 1024 * 1024, mostBytes: 10_000))
        {
            for (int i = 0; i < 1_000; i++)
            {
                trace.Record(Acked(i));
            }
        }

        TraceContent content = Read(file);
        Assert.That(file.ToArray(), Has.Length.LessThan(12_000));
        Assert.That(content.Events[^1].Name, Is.EqualTo("gudp:events_lost"));
        Assert.That(content.Events[^1].Count + content.Events.Count - 1, Is.EqualTo(1_000));
    }

    [Test]
    public void A_disk_that_fails_is_counted_and_ends_nothing()
    {
        using GatedStream file = new();

        using (TraceFile trace = new(file, "test", 2 * TraceFile.BlockBytes, long.MaxValue))
        {
            file.Break();

            for (int i = 0; i < 20_000; i++)
            {
                trace.Record(Acked(i));
            }

            Assert.That(trace.EventsLost, Is.Positive);
        }
    }

    [Test]
    public void A_daemon_writes_a_file_of_its_own_when_its_config_says_so()
    {
        GudpConfig config = SimWorld.Plain with { Name = "left/right", Trace = new() { Directory = _folder } };

        using (SimWorld world = new(seed: 1))
        {
            Pair pair = world.AddConnectedPair(config);
            pair.Client.TrySend(new byte[100]);
            world.Run(TimeSpan.FromSeconds(2));
            Assert.That(pair.Left.Daemon.TraceEventsLost, Is.Zero);
            pair.Left.Daemon.Dispose();
            pair.Right.Daemon.Dispose();
        }

        string[] files = Directory.GetFiles(_folder, "leftright-*.sqlog");
        Assert.That(files, Has.Length.EqualTo(2));

        foreach (string file in files)
        {
            TraceContent content = TraceReader.ReadFile(file);
            Assert.That(content.IsCut, Is.False);
            Assert.That(content.Events.Select(one => one.Name), Has.Member("quic:packet_sent")
                .And.Member("quic:packet_received").And.Member("quic:connection_state_updated"));
        }
    }

    [Test]
    public void A_directory_that_cannot_be_made_is_refused_at_once()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");

        Assert.Catch<IOException>(() => _ = new Daemon(
            new GudpConfig { Trace = new() { Directory = Path.Combine(file, "below") } }));
    }

    private static TraceEvent Acked(int number)
        => new() { Kind = TraceEventKind.PacketAcked, ConnectionId = 1, PacketNumber = number };

    private static TraceContent Read(MemoryStream file)
    {
        using StringReader reader = new(Encoding.UTF8.GetString(file.ToArray()));
        return TraceReader.Read(reader, "memory");
    }

    /// <summary>A disk that can be made to stand still or to fail.</summary>
    private sealed class GatedStream : Stream
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);
        private volatile bool _isBroken;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written.Length;

        public override long Position { get => Written.Position; set => throw new NotSupportedException(); }

        internal MemoryStream Written { get; } = new();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _open.Wait();

            if (_isBroken)
            {
                throw new IOException("broken");
            }

            Written.Write(buffer, offset, count);
        }

        internal void Shut() => _open.Reset();

        internal void OpenAgain() => _open.Set();

        internal void Break() => _isBroken = true;
    }
}

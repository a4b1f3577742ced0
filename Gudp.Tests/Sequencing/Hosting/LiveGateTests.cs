using Gudp.Core;
using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Hosting;

/// <summary>What comes from outside gets a tag when it comes, and gives the same run when it is played again.</summary>
[TestFixture]
public sealed class LiveGateTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Test]
    public async Task An_input_arrives_at_the_tag_of_its_moment_and_the_guard()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock, Guard = Delay.Ticks(5) });

        scene.Clock.Now = 20 * Tick;
        bool isTaken = gate.TryPost("keys", "w"u8);
        scene.Clock.Now = 22 * Tick;
        await scene.StepAsync(gate);
        await scene.StepAsync(gate);

        Assert.That(isTaken, Is.True);
        Assert.That(scene.Hand.Now, Is.EqualTo((Tag)22));
        Assert.That(scene.HeardUntil(22), Is.Empty);
        scene.Clock.Now = 30 * Tick;
        await scene.StepAsync(gate);
        Assert.That(scene.HeardUntil(30), Is.EqualTo(new[] { $"{(Tag)25} w" }));
    }

    [Test]
    public async Task An_input_whose_tag_has_passed_arrives_at_the_first_one_that_has_not()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock, Guard = Delay.None });

        scene.Clock.Now = 10 * Tick;
        await scene.StepAsync(gate);
        gate.TryPost("keys", "w"u8);
        scene.Clock.Now = 20 * Tick;
        await scene.StepAsync(gate);

        Assert.That(scene.HeardUntil(20), Is.EqualTo(new[] { $"{(Tag)10 + Delay.OneRound} w" }));
    }

    [Test]
    public async Task The_others_run_up_to_the_last_step_and_no_further()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock });

        scene.Clock.Now = 50 * Tick;
        await scene.StepAsync(gate);
        scene.Game.RequestTo(50);
        scene.Host.Run();
        bool isThere = scene.Game.TryTakeGrant(out _);
        scene.Game.RequestTo(51);
        scene.Host.Run();

        Assert.That(isThere, Is.True);
        Assert.That(scene.Game.TryTakeGrant(out _), Is.False);
    }

    // Another step then would stand in the record and could not be said.
    [Test]
    public async Task A_step_while_the_last_one_waits_takes_and_records_nothing()
    {
        Scene scene = new();
        using MemoryStream record = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock, Record = record });
        scene.Clock.Now = 10 * Tick;
        Task<bool> first = gate.StepAsync().AsTask();
        gate.TryPost("keys", "w"u8);
        long before = record.Length;

        await Assert.ThatAsync(async () => await gate.StepAsync(), Throws.InvalidOperationException);

        Assert.That(record.Length, Is.EqualTo(before));
        scene.Host.Run();
        await first;
        scene.Clock.Now = 20 * Tick;
        await scene.StepAsync(gate);
        Assert.That(scene.HeardUntil(20), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_record_that_could_not_be_written_takes_no_step_after_it()
    {
        Scene scene = new();
        using FullStream record = new(60);
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock, Record = record });
        gate.TryPost("keys", new byte[100]);
        scene.Clock.Now = 10 * Tick;
        await Assert.ThatAsync(async () => await gate.StepAsync(), Throws.InstanceOf<IOException>());
        record.Room = 10_000;
        long length = record.Length;

        await Assert.ThatAsync(async () => await gate.StepAsync(), Throws.InstanceOf<IOException>());

        Assert.That(record.Length, Is.EqualTo(length), "Nothing stands behind a step that is not whole.");
        Assert.That(gate.TryPost("keys", "w"u8), Is.False);
    }

    [Test]
    public async Task What_was_taken_before_the_gate_was_cancelled_is_said()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock });
        using CancellationTokenSource cancelled = new();
        scene.Clock.Now = 5 * Tick;
        Task run = gate.RunAsync(TimeSpan.FromHours(1), cancelled.Token);
        scene.Host.Run();

        Assert.That(gate.TryPost("keys", "w"u8), Is.True);
        await cancelled.CancelAsync();

        for (int i = 0; i < 1_000 && !run.IsCompleted; i++)
        {
            scene.Host.Run();
            Thread.Yield();
        }

        await run;
        Assert.That(scene.HeardUntil(20), Has.Count.EqualTo(1));
        Assert.That(gate.TryPost("keys", "w"u8), Is.False);
    }

    [TestCase(double.PositiveInfinity)]
    [TestCase(double.NaN)]
    [TestCase(0)]
    public void A_pace_that_is_none_is_refused(double pace)
    {
        Scene scene = new();

        Assert.Throws<ArgumentOutOfRangeException>(() => scene.Open(new LiveGateOptions { Pace = pace }));
    }

    [Test]
    public async Task Inputs_from_many_threads_come_in_the_order_of_their_tags_and_none_is_lost()
    {
        const int Threads = 4;
        const int Each = 50;
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock });

        Task[] posting =
        [
            .. Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
            {
                for (int i = 0; i < Each; i++)
                {
                    scene.Clock.Now += Tick;
                    gate.TryPost("keys", "x"u8);
                }
            })),
        ];
        await Task.WhenAll(posting);
        scene.Clock.Now += 10 * Tick;
        await scene.StepAsync(gate);

        Assert.That(gate.Posted, Is.EqualTo(Threads * Each));
        Assert.That(scene.HeardUntil(gate.TagOfNow.Time), Has.Count.EqualTo(Threads * Each));
    }

    [Test]
    public void More_than_fits_is_refused_and_counted()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock, MaxWaitingBytes = 100 });

        bool first = gate.TryPost("keys", "w"u8);
        bool second = gate.TryPost("keys", "w"u8);

        Assert.That((first, second), Is.EqualTo((true, false)));
        Assert.That(gate.Refused, Is.EqualTo(1));
    }

    [Test]
    public void A_member_that_receives_and_a_foreign_channel_are_mistakes()
    {
        Scene scene = new();
        LiveGate gate = scene.Open(new LiveGateOptions { Clock = scene.Clock });

        Assert.Throws<ArgumentException>(() => _ = new LiveGate(scene.Game));
        Assert.Throws<ArgumentException>(() => gate.TryPost("score", []));
    }

    [Test]
    public void A_replay_of_the_record_gives_the_same_run()
    {
        using MemoryStream record = new();
        ulong live = PlayLive(record);

        record.Position = 0;
        SequenceHost again = new(Config());
        again.Add("hand", hand => LiveGate.ReplayAsync(hand, record));
        again.Add("game", GameAsync);
        again.Run();

        Assert.That(record.Length, Is.Positive);
        Assert.That(again.RunDigest, Is.EqualTo(live));
    }

    [Test]
    public void A_torn_record_ends_where_it_is_torn_and_a_damaged_one_is_an_error()
    {
        using MemoryStream record = new();
        PlayLive(record);
        byte[] bytes = record.ToArray();

        long whole = Replay(bytes);
        long torn = Replay(bytes[..^3]);
        byte[] head = bytes[..(4 + bytes[3])];

        Assert.That(torn, Is.EqualTo(whole - 1));
        Assert.Throws<InvalidDataException>(() => Replay([0, 0, 0, 1, 7]));
        Assert.Throws<InvalidDataException>(() => Replay([.. head, 0, 0, 0, 1, 7]));
        Assert.Throws<InvalidDataException>(() => Replay([255, 255, 255, 255, 0]));
        Assert.Throws<InvalidDataException>(() => Replay([]));
    }

    private static SequencingConfig Config() => new()
    {
        StopTag = 1_000,
        Roster = [new("hand") { Publish = ["keys"] }, new("game") { Subscribe = ["keys"] }],
    };

    /// <summary>A hand that presses keys at moments of a clock that the run does not know.</summary>
    private static ulong PlayLive(Stream record)
    {
        SequenceHost host = new(Config());
        host.Add("game", GameAsync);
        host.Add("hand", async hand =>
        {
            LiveGate gate = new(hand, new LiveGateOptions { Clock = host.Clock, Record = record });
            Task running = gate.RunAsync(7 * Tick);

            for (int key = 1; key <= 30; key++)
            {
                await Task.Delay(key * Tick, host.Clock);
                gate.TryPost("keys", [(byte)key]);
            }

            await running;
        });
        host.Run();
        return host.RunDigest;
    }

    private static async Task GameAsync(SequenceClient game)
    {
        for (Grant grant = game.Start!; !grant.IsFinal; grant = await game.NextAsync(Tag.Infinity))
        {
            game.Checksum((ulong)grant.Messages.Count);
        }
    }

    private static long Replay(byte[] bytes)
    {
        using MemoryStream record = new(bytes);
        SequenceHost host = new(Config());
        long steps = 0;
        host.Add("hand", async hand => steps = await LiveGate.ReplayAsync(hand, record));
        host.Add("game", GameAsync);
        host.Run();
        return steps;
    }

    private sealed class Scene
    {
        internal Scene()
        {
            Host = new SequenceHost(Config());
            Hand = Host.Join("hand");
            Game = Host.Join("game");
            Host.Turn();
            Hand.TryTakeGrant(out _);
            Game.TryTakeGrant(out _);
        }

        internal SequenceHost Host { get; }

        internal SequenceClient Hand { get; }

        internal SequenceClient Game { get; }

        internal HandClock Clock { get; } = new();

        internal LiveGate Open(LiveGateOptions options) => new(Hand, options);

        internal async Task StepAsync(LiveGate gate)
        {
            Task<bool> step = gate.StepAsync().AsTask();
            Host.Run();
            await step;
        }

        internal List<string> HeardUntil(long time)
        {
            Game.RequestTo(time);
            Host.Run();
            Game.TryTakeGrant(out Grant? grant);
            return [.. grant!.Messages.Select(message => $"{message.Arrival} {message.Text}")];
        }
    }

    private sealed class FullStream(long room) : MemoryStream
    {
        internal long Room { get; set; } = room;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > Room)
            {
                throw new IOException("No space left on the device.");
            }

            base.Write(buffer);
        }
    }

    private sealed class HandClock : TimeProvider
    {
        private readonly Lock _lock = new();
        private TimeSpan _now;

        internal TimeSpan Now
        {
            get
            {
                lock (_lock)
                {
                    return _now;
                }
            }

            set
            {
                lock (_lock)
                {
                    _now = value;
                }
            }
        }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}

using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>The frames of clauses are read as they were written, and nothing else is.</summary>
[TestFixture]
public sealed class WatchingFramesTests
{
    private static readonly WaitLink Waiting = new()
    {
        Member = "a",
        Kind = WaitKind.HeldBack,
        Activity = MemberActivity.Waiting,
        Now = 3,
        Target = 12,
        Needs = 12,
        Has = 10,
        Lookahead = Delay.OneRound,
        Since = TimeSpan.FromMilliseconds(1_500),
        LastHeard = TimeSpan.FromMilliseconds(40),
    };

    private static readonly WaitLink Root = new()
    {
        Member = "ü",
        Kind = WaitKind.Running,
        Activity = MemberActivity.Running,
        Now = new Tag(8, 2),
        Lookahead = Delay.Ticks(4),
        Since = TimeSpan.FromSeconds(3),
    };

    [Test]
    public void Chains_are_read_as_they_were_written()
    {
        FrameWriter writer = new();
        HealthFrame.Begin(writer, 1, 2, (HealthPurpose.Overdue, 3, 1));
        HealthFrame.WriteChain(writer, [Waiting, Root], 5);
        writer.EndFrame();
        List<WaitReport> read = [];

        bool isRead = HealthFrame.TryRead(Body(writer), out HealthPurpose purpose, out ulong number, read);

        Assert.That((isRead, purpose, number), Is.EqualTo((true, HealthPurpose.Overdue, 3UL)));
        Assert.That(read.Single().Links, Is.EqualTo(new[] { Waiting, Root }));
        Assert.That((read[0].LeftOut, read[0].Stage), Is.EqualTo((5, 3)));
    }

    [Test]
    public void What_stands_before_a_grant_is_read_as_it_was_written()
    {
        FrameWriter writer = new();
        HealthFrame.WriteReleased(writer, 1, 2, ("ü", WaitKind.Lost, TimeSpan.FromMilliseconds(7)));

        bool isRead = HealthFrame.TryReadReleased(
            Body(writer), out ReadOnlySpan<byte> root, out WaitKind kind, out TimeSpan waited);

        Assert.That(isRead && root.SequenceEqual("ü"u8));
        Assert.That((kind, waited), Is.EqualTo((WaitKind.Lost, TimeSpan.FromMilliseconds(7))));
    }

    [Test]
    public void What_operators_say_is_read_as_it_was_written()
    {
        BarrierFrame set = new(1, "op", BarrierAction.Set) { Tag = new Tag(5, 1) };
        BarrierFrame step = new(2, "op", BarrierAction.Step) { Steps = 9 };
        StopFrame stop = new(3, "op", new Tag(7, 0));
        StopFrame soon = new(4, "op", null);
        StartFrame start = new(5, "op");
        StatusQueryFrame query = new(6, 70);
        WhoBlocksFrame who = new(7, "a");

        Assert.That(BarrierFrame.TryRead(Written(set.Write), out BarrierFrame readSet) && readSet == set);
        Assert.That(BarrierFrame.TryRead(Written(step.Write), out BarrierFrame readStep) && readStep == step);
        Assert.That(StopFrame.TryRead(Written(stop.Write), out StopFrame readStop) && readStop == stop);
        Assert.That(StopFrame.TryRead(Written(soon.Write), out StopFrame readSoon) && readSoon == soon);
        Assert.That(StartFrame.TryRead(Written(start.Write), out StartFrame readStart) && readStart == start);
        Assert.That(StatusQueryFrame.TryRead(Written(query.Write), out StatusQueryFrame readQuery) && readQuery == query);
        Assert.That(
            WhoBlocksFrame.TryRead(Written(w => who.Write(w, 0, 0)), out WhoBlocksFrame readWho) && readWho == who);
    }

    [Test]
    public void Damaged_bytes_never_throw([Range(1, 50)] int seed)
    {
        Prng draws = new((ulong)seed);
        FrameWriter writer = new();
        HealthFrame.Begin(writer, 1, 2, (HealthPurpose.Answer, 3, 2));
        HealthFrame.WriteChain(writer, [Waiting, Root], 0);
        HealthFrame.WriteChain(writer, [Root], 0);
        writer.EndFrame();
        byte[] bytes = Body(writer);

        for (int damage = 0; damage < 20; damage++)
        {
            bytes[draws.NextBelow(bytes.Length)] = (byte)draws.NextBelow(256);
            ReadOnlyMemory<byte> cut = bytes.AsMemory(0, (int)draws.NextBelow(bytes.Length + 1));
            Assert.That(() => ReadEverything(cut.Span), Throws.Nothing);
        }
    }

    private static void ReadEverything(ReadOnlySpan<byte> bytes)
    {
        HealthFrame.TryRead(bytes, out _, out _, []);
        HealthFrame.TryReadReleased(bytes, out _, out _, out _);
        StatusFrame.Read(bytes, [], out _, out _);
        BarrierFrame.TryRead(bytes, out _);
        StopFrame.TryRead(bytes, out _);
        StartFrame.TryRead(bytes, out _);
        StatusQueryFrame.TryRead(bytes, out _);
        WhoBlocksFrame.TryRead(bytes, out _);
    }

    private static byte[] Written(Action<FrameWriter> write)
    {
        FrameWriter writer = new();
        write(writer);
        return Body(writer);
    }

    private static byte[] Body(FrameWriter writer)
    {
        FrameReader reader = new(writer.Written);
        Assert.That(Frame.TryNext(ref reader, out Frame frame) && reader.IsComplete);
        return frame.Body.ToArray();
    }
}

using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Hosting;

/// <summary>A run in one process is recorded, held, stepped and ended as one over the network.</summary>
[TestFixture]
public sealed class WatchedHostTests
{
    [Test]
    public void Two_recorded_runs_are_compared_to_the_first_difference()
    {
        using RunRecord first = new(Play(flip: null));
        using RunRecord second = new(Play(flip: null));
        using RunRecord other = new(Play(flip: 7));

        RunDifference difference = RunDifference.Between(first, other);

        Assert.That(first.IsComplete, Is.True);
        Assert.That(RunDifference.Between(first, second).IsEqual, Is.True);
        Assert.That(difference.First!.Member, Is.EqualTo("b"));
        Assert.That(difference.First.Kind, Is.EqualTo(GrantDifferenceKind.Payload));
    }

    [Test]
    public void A_run_that_is_given_up_leaves_a_record_of_what_there_was()
    {
        KeptStream stream = new();
        SequenceHost host = new(Config());
        host.Record(new RunRecording { Stream = stream });
        host.Join("a");
        host.Join("b");
        host.Turn();

        host.EndRecord();

        using RunRecord record = new(new MemoryStream(stream.Written));
        Assert.That(record.IsComplete, Is.False);
        Assert.That(record.Grants, Is.EqualTo(2));
        Assert.That(host.RecordFailure, Is.Null);
        Assert.That(() => host.Record(new RunRecording { Stream = new MemoryStream() }), Throws.InvalidOperationException);
    }

    [Test]
    public void It_is_held_stepped_and_ended_as_by_an_operator()
    {
        SequenceHost host = new(Config());
        SequenceClient a = host.Join("a");
        SequenceClient b = host.Join("b");
        RunStatus held = host.SetBarrier(7);
        host.Turn();
        a.TryTakeGrant(out _);
        b.TryTakeGrant(out _);
        a.RequestTo(10);
        b.RequestTo(20);
        host.Run();
        bool isHeld = !a.TryTakeGrant(out _);
        WaitKind root = host.WhoBlocks("a")!.Root.Kind;
        RunStatus stepped = host.Step();
        host.Turn();
        bool hasStepped = a.TryTakeGrant(out Grant? grant);
        host.ClearBarrier();
        RunStatus stopped = host.Stop(15);
        SequencingException? refused = Assert.Throws<SequencingException>(() => host.Stop(3));

        Assert.That((held.Barrier, isHeld, root), Is.EqualTo(((Tag?)7, true, WaitKind.Barrier)));
        Assert.That((stepped.Barrier, hasStepped), Is.EqualTo(((Tag?)new Tag(10, 1), true)));
        Assert.That(grant!.Tag, Is.EqualTo((Tag)10));
        Assert.That((stopped.Stop, stopped.IsInfluenced), Is.EqualTo(((Tag?)15, true)));
        Assert.That(refused!.Error, Is.EqualTo(SequencingError.PastTag));
        Assert.That(stopped.Counters.OperatorRequests, Is.EqualTo(4));
    }

    [Test]
    public void A_member_s_own_code_may_stop_the_run_from_outside()
    {
        SequenceHost host = new(Config());
        Tag last = Tag.Zero;
        host.Add("a", async a =>
        {
            await a.AdvanceToAsync(10);
            host.Stop();
            last = (await a.AdvanceToAsync(100)).Tag;
        });
        host.Add("b", b => b.AdvanceToAsync(100).AsTask());

        Assert.That(host.Run(), Is.True);
        Assert.That(last, Is.EqualTo(new Tag(10, 1)));
        Assert.That(host.ReadStatus().IsInfluenced, Is.True);
    }

    [Test]
    public void A_run_that_starts_on_command_is_started()
    {
        SequencingConfig config = new() { Roster = [new("a")], StartsOnCommand = true };
        SequenceHost host = new(config);
        SequenceClient a = host.Join("a");
        host.Turn();
        bool before = a.TryTakeGrant(out _);

        host.Start();
        host.Turn();

        Assert.That((before, a.TryTakeGrant(out _)), Is.EqualTo((false, true)));
    }

    private static MemoryStream Play(int? flip)
    {
        KeptStream stream = new();
        SequenceHost host = new(Config());
        host.Record(new RunRecording { Stream = stream });
        host.Add("a", async a =>
        {
            for (int i = 1; i <= 20; i++)
            {
                a.Publish("x", [(byte)(i == flip ? i + 100 : i)]);
                await a.AdvanceToAsync(i);
            }
        });
        host.Add("b", b => b.AdvanceToAsync(30).AsTask());
        host.Run();
        return new MemoryStream(stream.Written);
    }

    private static SequencingConfig Config() => new()
    {
        Roster = [new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) }, new("b") { Subscribe = ["x"] }],
    };

    private sealed class KeptStream : MemoryStream
    {
        internal byte[] Written { get; private set; } = [];

        protected override void Dispose(bool disposing)
        {
            Written = disposing ? ToArray() : Written;
            base.Dispose(disposing);
        }
    }
}

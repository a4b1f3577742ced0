using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>The sealed log of a run, as the engine keeps it (lock-time 7.3, clause ).</summary>
[TestFixture]
public sealed class RunLogTests
{
    [Test]
    public void Numbers_are_dense_and_the_floor_never_falls_and_at_the_end_everything_is_sealed()
    {
        SingleProcessRun run = new(new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], Subscribe = ["y"], Lookahead = Delay.Ticks(2) },
                new("b") { Publish = ["y"], Subscribe = ["x"], Lookahead = Delay.Ticks(5) },
                new("c") { Subscribe = ["x", "y"] },
            ],
            Channels = [new("y") { Latency = LatencyModel.Uniform(3, 9), SenderLossPpm = 200_000 }],
        });
        SealedLog log = run.Server.Run.Log;
        Tag floor = log.Floor;
        run.Settle();

        for (bool moved = true; moved; run.Settle())
        {
            moved = false;

            foreach (MemberEngine member in run.Members)
            {
                moved |= Act(member, until: 80);
                Assert.That(log.Floor, Is.GreaterThanOrEqualTo(floor));
                Assert.That(log.Pending.All(entry => entry.Priority.Arrival >= log.Floor), Is.True);
                floor = log.Floor;
            }
        }

        Assert.That(log.Floor, Is.EqualTo(Tag.Top));
        Assert.That(log.Pending.Count, Is.Zero);
        Assert.That(log.Next - 1, Is.EqualTo(run.Server.Run.Published - run.Server.Run.Lost).And.GreaterThan(20));
        Assert.That(run.Server.Run.Lost, Is.Positive);
        Assert.That(NumbersOf(log), Is.EqualTo(Enumerable.Range(1, (int)log.Next - 1).Select(n => (long)n)));
    }

    [Test]
    public void The_list_is_the_same_whatever_the_order_of_turns()
    {
        string[] lists = [.. new int[][] { [0, 1, 2], [2, 1, 0], [1, 0, 2] }.Select(Play)];

        Assert.That(lists[0], Has.Length.GreaterThan(100));
        Assert.That(lists, Is.All.EqualTo(lists[0]));
    }

    // S-E8: what a sequencer keyed by publish ids is asked for, steps do here. The publisher says its commit again and again,
    // as one does that never heard that it came.
    [Test]
    public void S_E8_a_commit_said_again_is_sequenced_once_and_keeps_its_number()
    {
        SingleProcessRun run = new(new()
        {
            Roster = [new("a") { Publish = ["x"] }, new("b") { Subscribe = ["x"], Sends = false }],
        });
        run.Settle();
        MemberEngine a = run["a"];
        a.TryTakeGrant(out _);
        a.Publish("x", "one"u8, 5);
        a.Flush();
        Assert.That(a.TryPeekOutgoing(out ReadOnlySpan<byte> commit));
        byte[] again = commit.ToArray();

        run.MoveUp(0);
        run.Inject(0, again);
        a.Publish("x", "two"u8, 6);
        a.Request(AdvanceMode.To, 50);
        run.MoveUp(0);
        run.Inject(0, again);
        run.Settle();

        SealedLog log = run.Server.Run.Log;
        Assert.That(run.Server.Counters.StepsRepeated, Is.EqualTo(2));
        Assert.That(log.TryRead(1, out SealedMessage one) && one.Letter.Payload.SequenceEqual("one"u8));
        Assert.That(log.TryRead(2, out SealedMessage two) && two.Letter.Payload.SequenceEqual("two"u8));
        Assert.That(log.Next, Is.EqualTo(3));
        Assert.That(run.Server.Members.Find("b")!.Inbox.Count, Is.EqualTo(2));
        Assert.That((a.Error, a.Now), Is.EqualTo((SequencingError.None, new Tag(50, 0))), "The step is acknowledged.");
    }

    // Nobody subscribes, so no inbox fills; with the floor stuck, what is not final has no other limit.
    [Test]
    public void What_is_not_final_counts_against_the_limit_of_an_inbox()
    {
        SingleProcessRun run = new(new()
        {
            Roster =
            [
                new("slow") { Publish = ["s"] },
                new("fast") { Publish = ["f"], Lookahead = Delay.Ticks(1) },
            ],
            MaxPayloadBytes = 1_000,
            MaxInboxBytes = 1_000 + 65_536,
        });
        run.Settle();
        run["fast"].TryTakeGrant(out _);

        SequencingError error = SequencingError.None;

        for (int i = 0; i < 100 && error == SequencingError.None; i++)
        {
            run["fast"].Publish("f", new byte[1_000], null);
            run["fast"].Flush();
            run.Settle();
            error = run["fast"].Error;
        }

        Assert.That(error, Is.EqualTo(SequencingError.InboxLimit));
        Assert.That(run["fast"].ErrorDetail, Does.Contain("not final"));
        Assert.That(run.Server.Run.Log.PendingBytes, Is.LessThanOrEqualTo(1_000 + 65_536));
    }

    // Clause.
    [Test]
    public void A_sender_is_withheld_before_that_limit_while_somebody_else_holds_the_floor()
    {
        SingleProcessRun run = new(new()
        {
            Roster =
            [
                new("slow") { Publish = ["s"] },
                new("fast") { Publish = ["f"], Lookahead = Delay.Ticks(1) },
            ],
            MaxPayloadBytes = 1_000,
            MaxInboxBytes = 1_000 + 65_536,
        });
        run.Settle();
        Walk(run, 100);
        int sent = (int)run.Server.Run.Published;

        run["slow"].TryTakeGrant(out _);
        run["slow"].Request(AdvanceMode.To, new Tag(1_000, 0));
        run.Settle();
        Walk(run, 100);

        Assert.That(sent, Is.InRange(20, 50));
        Assert.That(run["fast"].Error, Is.EqualTo(SequencingError.None));
        Assert.That(run.Server.Run.Published, Is.GreaterThan(sent));
    }

    private static void Walk(SingleProcessRun run, int steps)
    {
        MemberEngine fast = run["fast"];

        for (int i = 0; i < steps && fast.TryTakeGrant(out Grant grant); i++)
        {
            fast.Publish("f", new byte[1_000], null);
            fast.Request(AdvanceMode.To, grant.Tag + Delay.Ticks(1));
            run.Settle();
        }
    }

    private static string Play(int[] order)
    {
        SingleProcessRun run = new(new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(2) },
                new("b") { Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(3) },
                new("c") { Publish = ["y"], Lookahead = Delay.Ticks(1) },
            ],
        });
        run.Settle();

        for (bool moved = true; moved; run.Settle())
        {
            moved = false;

            foreach (int i in order)
            {
                moved |= Act(run.Members[i], until: 60);
            }
        }

        SealedLog log = run.Server.Run.Log;
        StringBuilder text = new();

        for (long number = 1; log.TryRead(number, out SealedMessage message); number++)
        {
            text.Append($"{number} {message.Key.Arrival} {message.Key.Publisher} {message.Key.SubSequence};");
        }

        return text.ToString();
    }

    private static bool Act(MemberEngine member, long until)
    {
        if (!member.TryTakeGrant(out Grant grant))
        {
            return false;
        }

        if (grant.Tag.Time >= until)
        {
            member.Resign();
            return true;
        }

        string? channel = member.Name switch { "a" => "x", "b" => member.Publish("y", [1], null) == 0 ? null : "x", _ => "y" };

        if (channel is not null)
        {
            member.Publish(channel, [1], null);
        }

        member.Request(AdvanceMode.Next, grant.Tag + Delay.Ticks(4));
        return true;
    }

    private static IEnumerable<long> NumbersOf(SealedLog log)
    {
        for (long number = log.First; log.TryReadNext(number, out SealedMessage message); number = message.Number + 1)
        {
            yield return message.Number;
        }
    }
}

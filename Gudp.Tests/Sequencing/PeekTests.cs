using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using Gudp.Tests.Sequencing.Joining;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>The look into the inbox and the frames beside the run's order: clauses .</summary>
[TestFixture]
public sealed class PeekTests
{
    [Test]
    public void A_peek_of_a_member_that_may_not_is_refused_by_the_server_too()
    {
        SingleProcessRun run = Start(mayPeek: false);
        string before = RunDump.Of(run.Server);

        run.Inject(1, Peek(session: 1));

        Assert.That(ErrorTo(run, 1), Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
    }

    [TestCase(1, 2UL, SequencingError.StaleEpoch)]
    [TestCase(99, 1UL, SequencingError.NotJoined)]
    public void A_peek_of_another_session_or_of_a_stranger_is_refused(long link, ulong session, SequencingError error)
    {
        SingleProcessRun run = Start(mayPeek: true);

        run.Inject(link, Peek(session));

        Assert.That(ErrorTo(run, link), Is.EqualTo(error));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    [Test]
    public void An_answer_is_bounded_and_says_what_it_left_out()
    {
        SingleProcessRun run = Start(mayPeek: true);

        for (int i = 0; i < 100; i++)
        {
            run["a"].Publish("x", new byte[2_000], 5 + i);
        }

        run["a"].Flush();
        run["b"].Peek();
        string before = "";

        while (run.MoveUp(0))
        {
            before = RunDump.Of(run.Server);
        }

        run.MoveUp(1);
        byte[] answer = run.Down[1].Last();
        run.Settle();

        Assert.That(answer, Has.Length.LessThan((64 * 1024) + 4_096));
        Assert.That(run["b"].Peeked, Has.Count.InRange(30, 34));
        Assert.That(run["b"].Peeked!.Select(message => message.Arrival), Is.Ordered);
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
        Assert.That(run.Server.Members.Find("b")!.Inbox.Count, Is.EqualTo(100));
    }

    // the server is a grant ahead of a process that comes back.
    [Test]
    public void A_peek_of_a_process_that_came_back_shows_what_waits_after_the_grant_that_it_did_not_get()
    {
        LinkedRun run = new(Config(mayPeek: true));
        run.Settle();
        LinkedMember peeks = run["b"];
        ResumeTicket ticket = peeks.Engine.CreateTicket();
        peeks.Engine.Request(AdvanceMode.Next, 100);
        run.MoveUp(peeks);
        run["a"].Engine.Publish("x", "first"u8, 5);
        run["a"].Engine.Publish("x", "second"u8, 50);
        run["a"].Engine.Request(AdvanceMode.To, 20);
        run.MoveUp(run["a"]);
        run.Restart(peeks, ticket);
        run.Settle();

        peeks.Engine.Peek();
        run.Settle();
        IReadOnlyList<SequencedMessage>? seen = peeks.Engine.Peeked;
        peeks.Engine.Request(AdvanceMode.Next, 100);
        bool isGranted = peeks.Engine.TryTakeGrant(out Grant grant);

        Assert.That(peeks.Engine.ErrorDetail, Is.Empty);
        Assert.That(seen?.Select(message => (message.Arrival, message.Text)), Is.EqualTo(new[] { (new Tag(50, 0), "second") }));
        Assert.That(isGranted, Is.True);
        Assert.That(grant.Messages.Select(message => message.Text), Is.EqualTo(new[] { "first" }));
    }

    [Test]
    public void Frames_cut_at_any_byte_are_refused_by_both_sides()
    {
        byte[] peek = Peek(session: 1);
        SingleProcessRun run = Start(mayPeek: true);
        string before = RunDump.Of(run.Server);

        for (int length = 1; length < peek.Length; length++)
        {
            run.Inject(1, peek[..length]);
        }

        Assert.That(run.Server.Refusals, Is.EqualTo(peek.Length - 1));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));

        FrameWriter taken = new();
        new RoleTakenFrame(3, new Tag(7, 2)).Write(taken, 1, 1);
        FrameReader reader = new(taken.Written);
        Assert.That(Frame.TryNext(ref reader, out Frame frame));
        Assert.That(RoleTakenFrame.TryRead(frame.Body, out RoleTakenFrame read) && read.Earliest == new Tag(7, 2));

        for (int length = 1; length < taken.Length; length++)
        {
            SingleProcessRun fresh = Start(mayPeek: true);
            fresh["b"].HandleMessage(taken.Written[..length]);
            Assert.That(fresh["b"].Error, Is.EqualTo(SequencingError.BadFrame), $"{length}");
        }
    }

    private static SingleProcessRun Start(bool mayPeek)
    {
        SingleProcessRun run = new(Config(mayPeek));
        run.Settle();
        run.Down[1].Clear();
        return run;
    }

    private static SequencingConfig Config(bool mayPeek) => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"] },
            new MemberDeclaration("b") { Subscribe = ["x"], MayPeek = mayPeek },
        ],
    };

    private static byte[] Peek(ulong session)
    {
        FrameWriter writer = new();
        new PeekFrame(300).Write(writer, 1, session);
        return writer.Written.ToArray();
    }

    private static SequencingError ErrorTo(SingleProcessRun run, long link)
    {
        FrameReader reader = new(run.Down[link].Peek());
        return Frame.TryNext(ref reader, out Frame frame) && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal)
            ? refusal.Error
            : SequencingError.None;
    }
}

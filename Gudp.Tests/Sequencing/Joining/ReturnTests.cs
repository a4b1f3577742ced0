using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Who was lost before its first grant, and comes back when the run has gone on.</summary>
[TestFixture]
public sealed class ReturnTests
{
    [Test]
    public void Who_was_lost_before_an_open_run_started_and_comes_back_with_its_token_is_granted_the_start()
    {
        LinkedRun run = new(new SequencingConfig
        {
            StartsOnCommand = true,
            Roster = [new("a") { Publish = ["x"] }, new("b") { Subscribe = ["x"] }],
        });
        run.Settle();
        run.Drop(run["b"]);
        run.Server.Run.IsStartAsked = true;
        run.Settle();
        run.Inject(999, []);

        run["b"].Engine.TryResume();
        run.Settle();

        Assert.That(run["b"].Engine.Error, Is.EqualTo(SequencingError.None), run["b"].Engine.ErrorDetail);
        Assert.That(run["b"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Tag, Is.EqualTo(Tag.Zero));
    }

    [Test]
    public void Who_joins_late_and_was_lost_before_the_start_comes_back_to_its_join_tag()
    {
        LinkedRun run = new(new SequencingConfig
        {
            Roster = [new("a") { Publish = ["x"] }, new("b") { Subscribe = ["x"], Join = new Tag(50, 0) }],
        }, "a");
        run.Settle();
        run.Drop(run["b"]);
        run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.Settle();
        run["b"].Engine.TryResume();
        run.Settle();

        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.Request(AdvanceMode.To, new Tag(60, 0));
        run.Settle();

        Assert.That(run["b"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Tag, Is.EqualTo(new Tag(50, 0)));
    }

    [Test]
    public void Nobody_comes_into_a_run_that_was_aborted()
    {
        LinkedRun run = new(
            new SequencingConfig
            {
                Roster =
                [
                    new("a") { Publish = ["x"], CrashPolicy = CrashPolicy.Abort },
                    new("b") { Subscribe = ["x"], Join = new Tag(50, 0) },
                ],
            },
            "b");
        run.Settle();
        run.Drop(run["a"]);

        LinkedMember late = run.Join(MemberOptions.From(run.Config, "b", run.Layout.ConfigHash));
        run.Settle();

        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Aborted));
        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.Stopped));
    }
}

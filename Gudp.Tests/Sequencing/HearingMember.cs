using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>A member that is told anything, and the promises it keeps to its program whatever that is.</summary>
internal sealed class HearingMember(MemberEngine engine, long limit)
{
    private Tag _last = new(long.MinValue, 0);

    internal MemberEngine Engine { get; } = engine;

    internal int Grants { get; private set; }

    internal void Take(ServerStreamStep step)
    {
        SendAll();

        if (step.Message is { } message)
        {
            Engine.HandleMessage(message);
        }
        else
        {
            step.Act!(Engine);
        }

        SendAll();
        Check();
    }

    /// <summary>Whatever the state is by now: a call is refused or taken, and throws nothing.</summary>
    internal void SayEverything()
    {
        SequencingError[] errors =
        [
            Engine.Publish("x", [1], null), Engine.Publish("y", [1], new Tag(1L << 61, 0)), Engine.Promise(1L << 61),
            Engine.Promise(Tag.Infinity), Engine.SetLookahead(Delay.Ticks(7)), Engine.SetRoles(true, true),
            Engine.SetInterest("y", true), Engine.StopAt(1L << 61), Engine.Snapshot("s", [1, 2]), Engine.Checksum(3),
            Engine.Peek(), Engine.Flush(), Engine.Request(AdvanceMode.Next, 1L << 61, new Grid(7)), Engine.Resign(),
        ];

        if (Engine.Phase == MemberPhase.Failed)
        {
            Assert.That(errors, Is.All.EqualTo(Engine.Error).Or.EqualTo(SequencingError.Diverged));
        }

        SendAll();
        Engine.TryResume();
        SendAll();
        Check();
    }

    private void SendAll()
    {
        for (int sent = 0; Engine.TryPeekOutgoing(out _); sent++)
        {
            Assert.That(sent, Is.LessThan(100), "What there is to say has an end.");
            Engine.OnSent();
        }
    }

    private void Check()
    {
        bool hasFailed = Engine.Phase == MemberPhase.Failed;
        Assert.That(Engine.Error != SequencingError.None, Is.EqualTo(hasFailed));
        Assert.That(Engine.ErrorDetail.Length > 0 || !hasFailed || Engine.Error != SequencingError.BadFrame);
        Assert.That(Engine.Tally.Read().RefusedTotal, Is.EqualTo(hasFailed ? 1 : 0), "counted, once");
        Assert.That(Engine.KeptCommits, Is.LessThan(30));
        Assert.That(Engine.Roster, Has.Count.LessThan(100));

        while (Engine.TryTakeGrant(out Grant grant))
        {
            Grants++;
            Assert.That(grant.Tag, Is.GreaterThanOrEqualTo(_last).And.LessThanOrEqualTo(Tag.Infinity));
            Assert.That(grant.Messages.Sum(message => 64L + message.Payload.Length), Is.LessThanOrEqualTo(limit));
            Tag before = _last;

            foreach (SequencedMessage message in grant.Messages)
            {
                Assert.That(message.Arrival, Is.GreaterThanOrEqualTo(before).And.LessThanOrEqualTo(grant.Tag));
                Assert.That(Grants == 1 || message.Arrival > _last, "Nothing comes at or below a grant.");
                before = message.Arrival;
            }

            _last = grant.Tag;
        }
    }
}

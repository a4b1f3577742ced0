// What is asked and told from beside the run (lock-time 12, 14): who waits for whom, how the run stands, hold, step,
// stop, start. Nobody needs to be a member for that, but the link must be one that may; a member may always ask for its
// own wait.
//
// Barriers only delay. A stop changes content: it enters the run as an external fact, above all grants given.

using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Operators(RunState run, Outbox outbox, Waits waits, Grants grants)
{
    private readonly HashSet<long> _allowed = [];

    /// <summary>The link may look at the run and hold it.</summary>
    internal void Allow(long link) => _allowed.Add(link);

    internal void Forget(long link) => _allowed.Remove(link);

    /// <summary>Clause .</summary>
    internal void HandleWhoBlocks(long link, Member? from, in Frame frame, Instant now)
    {
        if (!WhoBlocksFrame.TryRead(frame.Body, out WhoBlocksFrame question))
        {
            Refuse(link, from, SequencingError.BadFrame, 0, "The question is malformed.");
            return;
        }

        if (from?.Name != question.Name && !IsAllowed(link, from, question.Request))
        {
            return;
        }

        // What this turn has brought so far counts in the answer.
        grants.Evaluate(now);
        ulong session = from?.Session ?? 0;

        if (question.Name.Length > 0)
        {
            Member? member = run.Members.Find(question.Name);
            Begin(question.Request, session, HealthPurpose.Answer, member is not null && waits.IsWaiting(member) ? 1 : 0);

            if (member is not null)
            {
                waits.TryWriteChain(member, now);
            }
        }
        else
        {
            WriteAll(link, question.Request, session, now);
        }

        outbox.Writer.EndFrame();
        outbox.Send(link);
    }

    /// <summary>Everybody that waits, one chain to a frame, a message full of frames after the other.</summary>
    private void WriteAll(long link, ulong request, ulong session, Instant now)
    {
        foreach (Member member in run.Members.All)
        {
            if (!waits.IsWaiting(member))
            {
                continue;
            }

            Begin(request, session, HealthPurpose.PartOfAnswer, 1);
            waits.TryWriteChain(member, now);
            outbox.Writer.EndFrame();

            if (outbox.Writer.Length >= RunLayout.DeliverBytes)
            {
                outbox.Send(link);
            }
        }

        Begin(request, session, HealthPurpose.Answer, 0);
    }

    private void Begin(ulong request, ulong session, HealthPurpose purpose, int chains)
        => HealthFrame.Begin(outbox.Writer, Outbox.Epoch, session, (purpose, request, chains));

    private bool IsAllowed(long link, Member? from, ulong request)
    {
        if (_allowed.Contains(link))
        {
            return true;
        }

        Refuse(
            link, from, SequencingError.NotAllowed, request,
            $"The run takes such calls from {run.Layout.Operators} (SequencingConfig.Operators).");
        return false;
    }

    private void Refuse(long link, Member? from, SequencingError error, ulong request, string detail)
        => outbox.Refuse(link, error, detail, (request, from?.Session ?? 0));
}

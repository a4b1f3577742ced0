// Hellos that cannot be judged yet. Of members that a sponsor may still admit (clause ): they wait for the
// decision, so that a member need not know when its admission becomes final. And of members whose name has somebody who
// was welcomed a moment ago and not heard since (clause ): that may be the same one, over a link that was lost with
// its welcome, which the transport has not found out yet.
//
// Always true:
//   - a link has one hello here at most, and none once it speaks for a member;
//   - what is held is within limits, whoever sends it; above them a hello is judged at once.

using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class HeldHellos(RunState run)
{
    /// <summary>Hellos held at once; nobody admits so many together.</summary>
    internal const int MaxHellos = 256;

    /// <summary>
    /// After so long the transport knows by default that a link with something undelivered is lost (30 s: UnfinishedTimeout
    /// of connections), and some. Decides only who is refused, and when; nothing in the run.
    /// </summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(35);

    // Names of channels in all of them, each of 255 bytes at most.
    private const int MaxInterests = 16_384;

    private readonly List<(long Link, HelloFrame Hello)> _held = [];
    private int _interests;

    internal int Count => _held.Count;

    /// <summary>When one of them is to be judged although nothing has come.</summary>
    internal Instant NextDeadline
    {
        get
        {
            Instant next = Instant.Never;

            foreach ((_, HelloFrame hello) in _held)
            {
                if (SilentHolder(hello) is Member holder)
                {
                    next = Instant.Earlier(next, holder.WelcomedAt + Patience);
                }
            }

            return next;
        }
    }

    /// <returns>False: it has to be judged now.</returns>
    internal bool TryHold(long link, HelloFrame hello, Instant now)
    {
        Forget(link);

        // Whoever is refused whether its name is free or not is told at once.
        bool mayWait = (IsExpected(hello) && IsOfThisRun(hello))
            || (IsContested(hello, now) && HelloCheck.Check(hello, run, out _) == SequencingError.None);

        if (!mayWait || _held.Count >= MaxHellos || _interests + hello.Interests.Length > MaxInterests)
        {
            return false;
        }

        _held.Add((link, hello));
        _interests += hello.Interests.Length;
        return true;
    }

    /// <summary>One for which nothing is to be waited for any more, in the order they came.</summary>
    internal bool TryTake(Instant now, out long link, [NotNullWhen(true)] out HelloFrame? hello)
    {
        foreach ((long Link, HelloFrame Hello) held in _held)
        {
            if (!IsExpected(held.Hello) && !IsContested(held.Hello, now))
            {
                (link, hello) = held;
                Forget(link);
                return true;
            }
        }

        (link, hello) = (0, null);
        return false;
    }

    internal void Forget(long link)
    {
        int place = _held.FindIndex(held => held.Link == link);

        if (place >= 0)
        {
            _interests -= _held[place].Hello.Interests.Length;
            _held.RemoveAt(place);
        }
    }

    /// <summary>Whether a sponsor may still admit a member of that name at that tag, or has, and it is not decided.</summary>
    private bool IsExpected(HelloFrame hello)
    {
        // Unsettled is there if anybody may sponsor.
        if (run.Unsettled is null || run.Phase is not (RunPhase.Gathering or RunPhase.Running)
            || hello.Join != JoinKind.At || hello.Observes)
        {
            return false;
        }

        Member? holder = run.Members.Find(hello.Name);
        bool isFree = holder is null
            || (holder.Life == MemberLife.Resigned && run.Members.StateOf(holder).Now < hello.JoinTag);

        return isFree && hello.JoinTag < run.Limits.Stop
            && (run.Phase == RunPhase.Gathering || hello.JoinTag >= run.Bounds.SponsorBound
                || IsAdmitted(hello.Name));
    }

    private bool IsAdmitted(string name)
    {
        foreach (AdmissionOrder order in run.Admissions)
        {
            if (order.Hello.Name == name)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsContested(HelloFrame hello, Instant now)
        => SilentHolder(hello) is Member holder && now < holder.WelcomedAt + Patience;

    /// <summary>Who has the name and a link, and has not shown that its welcome came.</summary>
    private Member? SilentHolder(HelloFrame hello)
        => !hello.Observes && run.Phase is RunPhase.Gathering or RunPhase.Running
            && run.Members.Find(hello.Name) is Member { Link: not null, Step: 0 } holder
            && holder.Life is MemberLife.Joining or MemberLife.Live && holder.Waits.LastHeard <= holder.WelcomedAt
                ? holder
                : null;

    private bool IsOfThisRun(HelloFrame hello)
        => HelloCheck.CheckRun(hello, run, out _) == SequencingError.None
            && (hello.ConfigHash == 0 || hello.ConfigHash == run.Layout.ConfigHash);
}

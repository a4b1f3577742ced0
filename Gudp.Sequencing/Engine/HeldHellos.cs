// Hellos of members that a sponsor may still admit (clause ): they wait for the decision, so that a member need not
// know when its admission becomes final.
//
// Always true:
//   - a link has one hello here at most, and none once it speaks for a member;
//   - what is held is within limits, whoever sends it; above them a hello is judged at once.

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

    // Names of channels in all of them, each of 255 bytes at most.
    private const int MaxInterests = 16_384;

    private readonly List<(long Link, HelloFrame Hello)> _held = [];
    private int _interests;

    internal int Count => _held.Count;

    /// <returns>False: it has to be judged now.</returns>
    internal bool TryHold(long link, HelloFrame hello)
    {
        Forget(link);

        if (!IsExpected(hello) || _held.Count >= MaxHellos || _interests + hello.Interests.Length > MaxInterests)
        {
            return false;
        }

        _held.Add((link, hello));
        _interests += hello.Interests.Length;
        return true;
    }

    /// <summary>One for which nothing is to be waited for any more, in the order they came.</summary>
    internal bool TryTake(out long link, [NotNullWhen(true)] out HelloFrame? hello)
    {
        foreach ((long Link, HelloFrame Hello) held in _held)
        {
            if (!IsExpected(held.Hello))
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
            || hello.Join != JoinKind.At || hello.Observes || !IsOfThisRun(hello))
        {
            return false;
        }

        Member? holder = run.Members.Find(hello.Name);
        bool isFree = holder is null
            || (holder.Life == MemberLife.Resigned && run.Members.StateOf(holder).Now < hello.JoinTag);

        return isFree && hello.JoinTag < run.Limits.Stop
            && (run.Phase == RunPhase.Gathering || hello.JoinTag >= run.Bounds.SponsorBound
                || run.Admissions.Exists(order => order.Hello.Name == hello.Name));
    }

    private bool IsOfThisRun(HelloFrame hello)
        => HelloCheck.CheckRun(hello, run, out _) == SequencingError.None
            && (hello.ConfigHash == 0 || hello.ConfigHash == run.Layout.ConfigHash);
}

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Members;

/// <summary>Life of a member, lock-time 5.1. Running and waiting are told apart by its request.</summary>
internal enum MemberLife : byte
{
    /// <summary>Nobody joined under this name yet.</summary>
    Absent,

    /// <summary>Joined; its first grant is still to come.</summary>
    Joining,

    /// <summary>Part of the run.</summary>
    Live,

    /// <summary>Part of the run without a connection: its bounds are frozen.</summary>
    Lost,

    /// <summary>Out of the run for good.</summary>
    Resigned,
}

/// <summary>What the server keeps of one member besides the state the rule works on.</summary>
internal sealed class Member(
    MemberLayout layout, int ordinal, ulong configHash, IComparer<DeliveryKey>? order = null)
{
    internal MemberLayout Layout { get; } = layout;
    internal string Name => Layout.Name;
    internal int Ordinal { get; } = ordinal;

    /// <summary>It reads only, and nobody knows of it.</summary>
    internal bool IsObserver => Ordinal < 0;

    /// <summary>J: where it has its first grant.</summary>
    internal Tag Join { get; set; } = layout.Join;

    internal ArrivalQueue Inbox { get; } = new(order);
    internal Digest Digest { get; } = new(configHash, layout.Name);

    /// <summary>Over what it said, without what it was told (lock-time 7.1).</summary>
    internal CommitDigest CommitDigest { get; } = new(layout.Name);

    /// <summary>What it said of its own state, kept apart from the digests (lock-time 18).</summary>
    internal StateChecksums Checksums { get; } = new(layout.Name);

    internal Subscriptions Subscriptions { get; } = new(layout.Interests);

    /// <summary>Its last grant without the role to receive: what arrives up to it is not for the member.</summary>
    internal Tag DeafUntil { get; set; } = new(long.MinValue, 0);
    internal MemberLife Life { get; set; }
    internal long? Link { get; set; }

    /// <summary>Raised whenever the name is taken anew, so that frames of an earlier holder are told apart.</summary>
    internal ulong Session { get; set; }

    /// <summary>Who has it may take the session up again; nobody else (lock-time 20).</summary>
    internal UInt128 Token { get; set; }

    /// <summary>What of the past it asked for when it came.</summary>
    internal HistoryStart History { get; set; }

    /// <summary>Grants of this session, the start grant included.</summary>
    internal ulong GrantsSent { get; set; }

    /// <summary>The last of them, while it is not proved to have come.</summary>
    internal KeptGrant Kept { get; } = new();

    /// <summary>An observer that was told the end of the run.</summary>
    internal bool IsToldEnd { get; set; }

    /// <summary>A debugger stops it (lock-time 8.4).</summary>
    internal bool IsSuspended { get; set; }

    /// <summary>The last commit that was applied.</summary>
    internal ulong Step { get; set; }

    /// <summary>Messages it has published over the whole run.</summary>
    internal long SubSequence { get; set; }

    /// <summary>False from when it took up sending until the grant that tells it from which tag on.</summary>
    internal bool IsToldRoles { get; set; } = true;

    /// <summary>Sorts its inbox after a switch of interests or roles, and tells the rule what is first in it.</summary>
    internal void SortInbox(ref MemberState state)
    {
        if (Subscriptions.IsStale)
        {
            Inbox.Sort(state.Receives ? Subscriptions.Wakes : default);
            Subscriptions.IsStale = false;
        }

        state.Head = Inbox.Head;
    }

    /// <summary>When it was last welcomed without a token. Decides only who is refused (clause ).</summary>
    internal Instant WelcomedAt { get; set; }

    /// <summary>When its present request came. Statistics.</summary>
    internal Instant WaitingSince { get; set; }

    /// <summary>When it was last granted. Statistics.</summary>
    internal Instant RunningSince { get; set; }

    /// <summary>What was measured of its waits. Statistics.</summary>
    internal WaitRecord Waits { get; } = new();

    /// <summary>
    /// The receiver for whose sake its grant was withheld at the last evaluation; nobody if it was not.
    /// </summary>
    internal int HeldFor { get; set; } = BoundTable.Nobody;

    /// <summary>
    /// The member whose word is missing in the past that this one starts with, as of the last evaluation; nobody if none is.
    /// </summary>
    internal int PastHeldBy { get; set; } = BoundTable.Nobody;

    /// <summary>At the last evaluation its grant waited for the wall.</summary>
    internal bool IsPaced { get; set; }

    /// <summary>
    /// It joins at the end of the run or later, so it never has a grant, whenever it came (clause ).
    /// </summary>
    internal bool IsTooLate(Tag stop) => GrantsSent == 0 && Join >= stop && Join > Tag.Zero;

    /// <summary>More waits for it than those who feed it may run ahead of.</summary>
    internal bool IsOverLimit => Inbox.Count > Layout.InboxLimit.Messages || Inbox.Bytes > Layout.InboxLimit.Bytes;
}

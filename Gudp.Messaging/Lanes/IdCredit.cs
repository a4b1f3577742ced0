namespace Gudp.Messaging.Lanes;

/// <summary>
/// How the credit of ids of a lane of mode 1 or 2 follows from what was read (D-8.2, D-9.5): a rule of both ends, so that
/// the sender learns from each credit how many messages were read.
/// </summary>
internal static class IdCredit
{
    /// <summary>The credit before any message was read, thrown away or passed over.</summary>
    internal const int First = 64;

    /// <summary>Once one was, the credit is ahead of their number by so many.</summary>
    internal const int Ahead = 4096;

    /// <summary>New credit is told at the latest when so many ids more could be granted.</summary>
    internal const int TellIds = Ahead / 4;

    /// <summary>New credit is told at the latest when so many bytes were read since the last.</summary>
    internal const int TellBytes = 64 * 1024;

    /// <summary>The credit after so many were read, thrown away or passed over.</summary>
    internal static long LimitAfter(long done) => done == 0 ? First : done + Ahead;

    /// <summary>How many must have been, for the credit to be that.</summary>
    internal static long DoneAt(long limit) => limit <= Ahead ? 0 : limit - Ahead;
}

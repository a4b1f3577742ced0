using System.Collections.Generic;
using System.Text;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// What leaves the server: frames are written one after the other and sent together as one message. Links get their
/// messages in the order in which they were sent.
/// </summary>
/// <param name="tally">Counts what is refused.</param>
internal sealed class Outbox(RunTally tally)
{
    /// <summary>Of this server; a later one of the same run has a higher one.</summary>
    internal const ulong Epoch = 1;

    private readonly Queue<Outgoing> _outgoing = new();

    /// <summary>The message being written; <see cref="Send(Member)"/> empties it.</summary>
    internal FrameWriter Writer { get; } = new();

    /// <summary>Frames that were refused with an error.</summary>
    internal long Refusals => tally.Refusals;

    /// <summary>The next message, in the order they were sent. The taker releases it.</summary>
    internal bool TryTake(out Outgoing outgoing) => _outgoing.TryDequeue(out outgoing);

    /// <summary>What was written goes to the member, or nowhere while it has no connection.</summary>
    internal void Send(Member member)
    {
        if (member.Link is long link)
        {
            Send(link);
        }

        Writer.Clear();
    }

    /// <summary>As <see cref="Send(Member)"/>, and kept with the member until its next commit.</summary>
    internal void SendKept(Member member)
    {
        member.Kept.Add(Writer.Written);
        Send(member);
    }

    /// <summary>The link belongs to nobody any more.</summary>
    internal void Close(long link) => _outgoing.Enqueue(new Outgoing(link, [], closes: true));

    internal void Send(long link)
    {
        _outgoing.Enqueue(new Outgoing(link, Writer.Written));
        Writer.Clear();
    }

    /// <summary>Answers a hello that is not accepted.</summary>
    /// <param name="link">Where it came from.</param>
    /// <param name="error">Why.</param>
    /// <param name="detail">What was given and what is allowed.</param>
    /// <param name="session">The present session of that name, to who came with an old one; else 0.</param>
    internal void Reject(long link, SequencingError error, string detail, ulong session = 0)
    {
        tally.Refuse(error);
        new RefusalFrame(error, Shorten(detail), 0).Write(Writer, FrameType.Reject, Epoch, session);
        Send(link);
    }

    /// <summary>Answers a frame that changes nothing.</summary>
    /// <param name="link">Where it came from.</param>
    /// <param name="error">Why.</param>
    /// <param name="detail">What was given and what is allowed.</param>
    /// <param name="at">Step of the refused commit, and session of the link's member; 0 if there is none.</param>
    internal void Refuse(long link, SequencingError error, string detail, (ulong Step, ulong Session) at)
    {
        tally.Refuse(error);
        new RefusalFrame(error, Shorten(detail), at.Step).Write(Writer, FrameType.Error, Epoch, at.Session);
        Send(link);
    }

    // Names are the members' own; a text on the wire has at most 1,024 bytes (clause ), four to a character.
    private static string Shorten(string detail)
    {
        if (Encoding.UTF8.GetByteCount(detail) <= FrameReader.MaxTextBytes)
        {
            return detail;
        }

        int length = FrameReader.MaxTextBytes / 4;
        return detail[..(char.IsHighSurrogate(detail[length - 1]) ? length - 1 : length)];
    }
}

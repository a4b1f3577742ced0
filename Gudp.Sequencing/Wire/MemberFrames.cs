// Frames between one member and the server that are no part of the run's order: a look into the inbox, and the answer
// to a role taken up (docs/protocol/sequencing.md, clauses Q-8).

using System;

namespace Gudp.Sequencing.Wire;

/// <summary>A member asks what is in its inbox now (clause ).</summary>
internal readonly record struct PeekFrame(ulong Request)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Peek, epoch, session);
        writer.WriteNumber(Request);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out PeekFrame peek)
    {
        FrameReader reader = new(body);
        peek = new PeekFrame(reader.ReadNumber());
        return reader.IsComplete;
    }
}

/// <summary>The head of the answer to a peek; delivery records follow to the end of the frame (clause ).</summary>
/// <param name="Request">The number of the question.</param>
/// <param name="Left">Messages that are in the inbox and not in the answer.</param>
internal readonly record struct PeekedHead(ulong Request, ulong Left)
{
    internal void Write(FrameWriter writer)
    {
        writer.WriteNumber(Request);
        writer.WriteNumber(Left);
    }

    internal static PeekedHead Read(ref FrameReader reader) => new(reader.ReadNumber(), reader.ReadNumber());
}

/// <summary>The roles a member has now, and the F it got with the role to send (clause ).</summary>
internal readonly record struct RoleTakenFrame(ulong Roles, Tag Earliest)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.RoleTaken, epoch, session);
        writer.WriteNumber(Roles);
        writer.WriteTag(Earliest);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out RoleTakenFrame taken)
    {
        FrameReader reader = new(body);
        taken = new RoleTakenFrame(reader.ReadNumber(RoleBits.Sends | RoleBits.Receives), reader.ReadTag());
        return reader.IsComplete;
    }
}

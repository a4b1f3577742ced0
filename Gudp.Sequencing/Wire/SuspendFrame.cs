using System;

namespace Gudp.Sequencing.Wire;

/// <summary>A debugger stops the member, or does not any more (clause ).</summary>
internal static class SuspendFrame
{
    internal static void Write(FrameWriter writer, bool isSuspended, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Suspend, epoch, session);
        writer.WriteNumber(isSuspended ? 1UL : 0);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out bool isSuspended)
    {
        FrameReader reader = new(body);
        isSuspended = reader.ReadNumber(1) == 1;
        return reader.IsComplete;
    }
}

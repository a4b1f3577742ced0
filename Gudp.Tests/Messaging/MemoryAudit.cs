using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// Rented minus returned equals live owners (M26): what a peer's memory has lent is what its lanes, the messages that
/// are held and the open claims own. For tests in which nothing else runs meanwhile.
/// </summary>
internal static class MemoryAudit
{
    internal static void Check(MessageSession session)
    {
        int owned = session.BlocksOwned;

        // Not an assertion, which would build its message every time: this runs at every step.
        if (session.Memory.Blocks != owned)
        {
            Assert.Fail($"{session.Memory.Blocks} blocks are lent, and {owned} have an owner.");
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Gudp.Core;

namespace Gudp.Messaging.Diagnostics;

/// <summary>Cheap rules that are checked in every build: a lane with a wrong count corrupts its peer's.</summary>
internal static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Require([DoesNotReturnIf(false)] bool holds, string rule)
    {
        if (!holds)
        {
            ThrowBroken(rule);
        }
    }

    [DoesNotReturn]
    private static void ThrowBroken(string rule) => throw new InvariantException(rule);
}

using System.Diagnostics.CodeAnalysis;
using Gudp.Core;

namespace Gudp.Sequencing;

/// <summary>Cheap rules that are checked in every build: a wrong grant would be a silent wrong result.</summary>
internal static class Invariant
{
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

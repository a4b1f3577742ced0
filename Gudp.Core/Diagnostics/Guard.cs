using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Gudp.Core;

/// <summary>A rule of our own code was broken: a bug in Gudp, never the caller's or the network's fault.</summary>
public sealed class InvariantException : Exception
{
    /// <summary>Makes the exception; <paramref name="message"/> states the rule.</summary>
    public InvariantException(string message)
        : base(message)
    {
    }
}

/// <summary>Cheap rules that are checked in every build: a protocol with a wrong count corrupts its peers.</summary>
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

using System;
using System.Text;

namespace Gudp.Core;

/// <summary>Why a connection ended: a code for programs and a sentence for people (G17).</summary>
public sealed record CloseReason
{
    /// <summary>Longest detail, in bytes of UTF-8; what is longer is cut.</summary>
    public const int MaxDetailBytes = 255;

    /// <summary>The application has closed and said nothing more.</summary>
    public static CloseReason ByApplication { get; } = new(CloseCode.None);

    /// <summary>Makes a reason; cold path.</summary>
    /// <param name="code">The cause; applications use <see cref="CloseCode.Application"/> and above.</param>
    /// <param name="detail">A sentence for people; cut to <see cref="MaxDetailBytes"/> at a whole character.</param>
    public CloseReason(CloseCode code, string detail = "")
    {
        ArgumentNullException.ThrowIfNull(detail);
        Code = code;
        Detail = Cut(detail);
    }

    /// <summary>The cause.</summary>
    public CloseCode Code { get; }

    /// <summary>
    /// A sentence for people; may be empty. If it came from the peer, it is what the peer wrote: untrusted.
    /// </summary>
    public string Detail { get; }

    /// <summary>As "IdleTimeout: nothing came for 15 s".</summary>
    public override string ToString() => Detail.Length == 0 ? Code.ToString() : $"{Code}: {Detail}";

    /// <summary>What a peer sent: a code we may not know, a text that is not ours.</summary>
    internal static CloseReason FromWire(ulong code, string detail)
        => new(code <= ushort.MaxValue ? (CloseCode)code : CloseCode.Application, detail);

    private static string Cut(string detail)
    {
        int bytes = 0;
        int characters = 0;

        foreach (Rune rune in detail.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > MaxDetailBytes)
            {
                return detail[..characters];
            }

            bytes += rune.Utf8SequenceLength;
            characters += rune.Utf16SequenceLength;
        }

        return detail;
    }
}

using System;

namespace Gudp.Core.Wire;

/// <summary>
/// The answer to a packet whose connection is not known any more (W-2.8). It looks like any short packet; only the
/// token in its last bytes, which the receiver was given in the handshake, tells what it is.
/// </summary>
internal static class ResetPacket
{
    /// <summary>How long a reset is that answers a packet of this length: always shorter than its trigger.</summary>
    /// <returns>0 if the trigger is too short to be answered.</returns>
    internal static int LengthFor(int triggerBytes)
    {
        bool mayAnswer = triggerBytes >= WireFormat.MinAckElicitingBytes;
        return mayAnswer ? WireFormat.MaxResetBytes : 0;
    }

    /// <param name="destination">Exactly the reset's length, 26 to 42 bytes, filled with random bytes.</param>
    /// <param name="isFromServer">The sender's role: the opposite of the trigger's.</param>
    /// <param name="token">16 bytes: the token of the id in the trigger.</param>
    internal static void Write(Span<byte> destination, bool isFromServer, ReadOnlySpan<byte> token)
    {
        Invariant.Require(
            destination.Length is >= WireFormat.MinResetBytes and <= WireFormat.MaxResetBytes,
            "A reset has 26 to 42 bytes.");
        Invariant.Require(token.Length == WireFormat.ResetTokenBytes, "A reset token has 16 bytes.");

        // The length of the number stays random, as in any packet.
        int role = isFromServer ? WireFormat.FromServerBit : 0;
        destination[0] = (byte)(WireFormat.FixedBit | role | (destination[0] & WireFormat.NumberWidthMask));
        token.CopyTo(destination[^WireFormat.ResetTokenBytes..]);
    }

    /// <summary>The bytes that are the token if the datagram is a reset; empty if it cannot be one.</summary>
    internal static ReadOnlySpan<byte> TokenOf(ReadOnlySpan<byte> datagram)
        => datagram.Length is >= WireFormat.MinResetBytes and <= WireFormat.MaxResetBytes
            ? datagram[^WireFormat.ResetTokenBytes..]
            : default;
}

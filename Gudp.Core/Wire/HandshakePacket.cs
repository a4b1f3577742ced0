using System;

namespace Gudp.Core.Wire;

/// <summary>A whole handshake packet of the long form in Plain (W-2.5): header, parameters, padding, trailer.</summary>
internal static class HandshakePacket
{
    /// <summary>What a packet of this type must hold in Plain (W-2.10); the rest is optional.</summary>
    internal static ReadOnlySpan<ParameterId> RequiredIn(LongPacketType type) => type switch
    {
        LongPacketType.Hello =>
        [
            ParameterId.ApplicationId, ParameterId.Nonce, ParameterId.Modes, ParameterId.Versions,
        ],
        LongPacketType.Cookie => [ParameterId.Cookie, ParameterId.Modes, ParameterId.Versions],
        LongPacketType.HelloPlus =>
        [
            ParameterId.ApplicationId, ParameterId.Nonce, ParameterId.Cookie, ParameterId.Modes,
            ParameterId.Versions, ParameterId.InstanceNumber, ParameterId.PeerId, ParameterId.IdleTimeout,
            ParameterId.MaxAckDelay, ParameterId.LargestDatagram, ParameterId.ReceiveBuffer,
            ParameterId.ConnectionCredit, ParameterId.LaneCredit, ParameterId.LargestMessage, ParameterId.Lanes,
            ParameterId.Payload, ParameterId.Choice,
        ],
        LongPacketType.Answer =>
        [
            ParameterId.Modes, ParameterId.Versions, ParameterId.InstanceNumber, ParameterId.PeerId,
            ParameterId.ResetToken, ParameterId.IdleTimeout, ParameterId.MaxAckDelay, ParameterId.LargestDatagram,
            ParameterId.ReceiveBuffer, ParameterId.ConnectionCredit, ParameterId.LaneCredit,
            ParameterId.LargestMessage, ParameterId.Lanes, ParameterId.Payload, ParameterId.Choice,
            ParameterId.ListsAsReceived,
        ],
        LongPacketType.Finish => [ParameterId.ResetToken],
        LongPacketType.VersionList => [ParameterId.Versions],
        LongPacketType.Refuse => [ParameterId.Refusal],
        _ => [],
    };

    /// <summary>Builds and seals a whole packet.</summary>
    /// <param name="destination">The largest datagram that may be sent.</param>
    /// <param name="type">Tells role and version too.</param>
    /// <param name="destinationId">The receiver's id, 0 if unknown.</param>
    /// <param name="sourceId">The sender's id.</param>
    /// <param name="parameters">What it holds.</param>
    /// <returns>
    /// The bytes of the packet, Hello and HelloPlus padded to <see cref="WireFormat.MinimumHelloBytes"/>; 0 if it does
    /// not fit.
    /// </returns>
    internal static int Write(
        Span<byte> destination, LongPacketType type, ulong destinationId, ulong sourceId,
        HandshakeParameters parameters)
    {
        int leastBytes = type is LongPacketType.Hello or LongPacketType.HelloPlus ? WireFormat.MinimumHelloBytes : 0;

        if (destination.Length < Math.Max(leastBytes, WireFormat.LongHeaderBytes + WireFormat.TrailerBytes))
        {
            return 0;
        }

        Span<byte> body = destination[..^WireFormat.TrailerBytes];
        int offset = LongHeader.Write(body, type, destinationId, sourceId);
        int parameterBytes = parameters.Write(body[offset..]);

        if (parameterBytes == 0)
        {
            return 0;
        }

        offset += parameterBytes;
        int missing = leastBytes - WireFormat.TrailerBytes - offset;

        if (missing > 0)
        {
            // No parameter is one byte long; the least padding then makes the packet one byte longer than it must be.
            int paddingBytes = Math.Max(missing, HandshakeParameters.MinPaddingBytes);

            if (paddingBytes > body.Length - offset)
            {
                return 0;
            }

            offset += HandshakeParameters.WritePadding(body.Slice(offset, paddingBytes));
        }

        Span<byte> packet = destination[..(offset + WireFormat.TrailerBytes)];
        PacketTrailer.SealLong(packet);
        return packet.Length;
    }
}

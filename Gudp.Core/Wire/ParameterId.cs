namespace Gudp.Core.Wire;

/// <summary>Ids of handshake parameters (W-2.9), as far as Plain needs them.</summary>
internal enum ParameterId : byte
{
    /// <summary>Stands for no parameter; never on the wire.</summary>
    None = 0x00,
    ApplicationId = 0x01,
    Nonce = 0x02,
    Cookie = 0x03,
    Modes = 0x04,
    Versions = 0x05,
    Padding = 0x08,
    InstanceNumber = 0x09,
    PeerId = 0x0A,
    ResetToken = 0x0B,
    IdleTimeout = 0x0C,
    MaxAckDelay = 0x0D,
    LargestDatagram = 0x0E,
    ReceiveBuffer = 0x0F,
    ConnectionCredit = 0x10,
    LaneCredit = 0x11,
    LargestMessage = 0x12,
    Lanes = 0x13,
    Payload = 0x14,
    Choice = 0x15,
    ListsAsReceived = 0x16,
    Refusal = 0x18,
    ApplicationBytes = 0x20,
}

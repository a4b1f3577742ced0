namespace Gudp.Messaging.Wire;

/// <summary>The frames of the message layer; their bytes are in docs/protocol/wire.md section 3.</summary>
internal enum FrameType : byte
{
    LaneOpen = 0x20,
    LaneData = 0x21,
    LaneCredit = 0x22,
    ConnectionCredit = 0x23,
    LaneBlocked = 0x24,
    LaneTaken = 0x25,
    Message = 0x26,
    Fragment = 0x27,
    MessagesTaken = 0x28,
    LaneSettled = 0x29,
    LaneSkip = 0x2A,
    MessagesRefused = 0x2B,

    /// <summary>From here to <see cref="LastSkippable"/> a frame carries its length and may be passed over.</summary>
    FirstSkippable = 0x40,
    LastSkippable = 0x5F,
}

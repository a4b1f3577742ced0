using System;

namespace Gudp.Messaging.Lanes;

/// <summary>What a sender wants to be told about a message.</summary>
[Flags]
internal enum ReceiptWish : byte
{
    None = 0,
    Received = 1,
    Taken = 2,
}

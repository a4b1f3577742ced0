using System;

namespace Gudp.Messaging;

/// <summary>One of many messages of one call, each to its own peer.</summary>
/// <param name="To">Who gets it.</param>
/// <param name="Content">0 bytes to the largest message; copied before the call returns.</param>
/// <param name="Options">How it is sent.</param>
public readonly record struct OutgoingMessage(Peer To, ReadOnlyMemory<byte> Content, SendOptions Options = default);

using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>What became of one of several messages of one call.</summary>
/// <param name="Status">Accepted, or why not; as of <see cref="Peer.TrySend(ReadOnlySpan{byte}, SendOptions)"/>.</param>
/// <param name="Receipt">If accepted: the message's id and first states.</param>
public readonly record struct SendResult(SendStatus Status, SendReceipt Receipt);

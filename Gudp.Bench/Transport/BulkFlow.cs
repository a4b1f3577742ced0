using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>An application that sends as much as it may, and one that reads it at once.</summary>
/// <remarks>Always true: what was read was sent, in whole messages.</remarks>
internal sealed class BulkFlow : IWorldActor, IMessageHandler
{
    private readonly byte[] _message;
    private readonly Peer _sender;
    private readonly Peer _receiver;
    private readonly long _bytes;

    /// <param name="sender">Open.</param>
    /// <param name="receiver">The other end.</param>
    /// <param name="messageBytes">Length of each message but the last.</param>
    /// <param name="bytes">How much; <see cref="long.MaxValue"/> never ends.</param>
    internal BulkFlow(Peer sender, Peer receiver, int messageBytes, long bytes = long.MaxValue)
    {
        _sender = sender;
        _receiver = receiver;
        _message = new byte[messageBytes];
        _bytes = bytes;
    }

    internal long Sent { get; private set; }

    internal long Received { get; private set; }

    internal bool IsDone => Received == _bytes;

    /// <summary>Begins to send from here on.</summary>
    internal Instant Start { get; init; }

    public Instant NextDeadline { get; private set; } = Instant.Never;

    public bool Run(Instant now)
    {
        if (now < Start)
        {
            NextDeadline = Start;
            return false;
        }

        NextDeadline = Instant.Never;
        long before = Sent + Received;

        while (Sent < _bytes)
        {
            int length = (int)Math.Min(_message.Length, _bytes - Sent);

            if (_sender.TrySend(_message.AsSpan(0, length)) != SendStatus.Accepted)
            {
                break;
            }

            Sent += length;
        }

        BulkFlow self = this;
        _receiver.Poll(ref self, budget: int.MaxValue);
        return Sent + Received != before;
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => Received += message.Length;
}

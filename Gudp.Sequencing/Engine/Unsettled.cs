using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// What was published and arrives after any join a sponsor may still ask for: who is admitted needs it, although others
/// may have it already.
/// </summary>
internal sealed class Unsettled
{
    private readonly PriorityQueue<(DeliveryKey Key, Letter Letter), Tag> _messages = new();

    /// <summary>Payloads and entries, in bytes.</summary>
    internal long Bytes { get; private set; }

    /// <summary>In no order.</summary>
    internal PriorityQueue<(DeliveryKey Key, Letter Letter), Tag>.UnorderedItemsCollection All => _messages.UnorderedItems;

    internal void Add(in DeliveryKey nominal, Letter letter, in LatencyModel latency)
    {
        letter.Hold();
        Bytes += ArrivalQueue.BytesOf(letter.Length);

        // At some receiver it may arrive so much later.
        Delay spread = Delay.Ticks(latency.Maximum.Time - latency.Minimum.Time);
        _messages.Enqueue((nominal, letter), nominal.Arrival + spread);
    }

    /// <summary>Lets go of what arrives up to <paramref name="floor"/>.</summary>
    internal void Settle(Tag floor)
    {
        while (_messages.TryPeek(out (DeliveryKey Key, Letter Letter) message, out Tag arrival) && arrival <= floor)
        {
            Bytes -= ArrivalQueue.BytesOf(message.Letter.Length);
            message.Letter.Release();
            _messages.Dequeue();
        }
    }
}

using System.Threading;
using System.Threading.Channels;

namespace Gudp.Core.Loop;

/// <summary>
/// Requests of user threads on their way to whoever leads the turn. Bounded; refuses instead of waiting.
/// </summary>
/// <remarks>
/// Always true: _posted is at least the number of commands in the channel. So an empty queue, which nearly every turn
/// finds, costs one read, where the channel would take its lock.
/// </remarks>
/// <typeparam name="TCommand">A small readonly struct.</typeparam>
internal sealed class CommandQueue<TCommand>
    where TCommand : struct
{
    private readonly Channel<TCommand> _channel;
    private int _posted;

    internal CommandQueue(int capacity)
        => _channel = Channel.CreateBounded<TCommand>(new BoundedChannelOptions(capacity)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,     // for TryWrite it means: refuse, drop nothing
        });

    /// <summary>Any thread. A command posted before is seen as soon as its post returned.</summary>
    internal bool IsEmpty => Volatile.Read(ref _posted) == 0;

    /// <summary>Any thread. False: full or complete, nothing was queued.</summary>
    internal bool TryPost(in TCommand command)
    {
        // Before it is there, so that nobody takes out what was not counted.
        Interlocked.Increment(ref _posted);

        if (_channel.Writer.TryWrite(command))
        {
            return true;
        }

        Interlocked.Decrement(ref _posted);
        return false;
    }

    /// <summary>
    /// Nothing can be posted from now on; what was posted is still read. Any thread, any number of times.
    /// </summary>
    internal void Complete() => _channel.Writer.TryComplete();

    /// <summary>The leader only. In the order of posting.</summary>
    internal bool TryRead(out TCommand command)
    {
        if (IsEmpty || !_channel.Reader.TryRead(out command))
        {
            command = default;
            return false;
        }

        Interlocked.Decrement(ref _posted);
        return true;
    }
}

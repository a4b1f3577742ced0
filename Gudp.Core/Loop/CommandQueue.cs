using System.Threading.Channels;

namespace Gudp.Core.Loop;

/// <summary>
/// Requests of user threads on their way to whoever leads the turn. Bounded; refuses instead of waiting.
/// </summary>
/// <typeparam name="TCommand">A small readonly struct.</typeparam>
internal sealed class CommandQueue<TCommand>
    where TCommand : struct
{
    private readonly Channel<TCommand> _channel;

    internal CommandQueue(int capacity)
        => _channel = Channel.CreateBounded<TCommand>(new BoundedChannelOptions(capacity)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,     // for TryWrite it means: refuse, drop nothing
        });

    /// <summary>Any thread. A command posted before is seen as soon as its post returned.</summary>
    internal bool IsEmpty => _channel.Reader.Count == 0;

    /// <summary>Any thread. False: full or complete, nothing was queued.</summary>
    internal bool TryPost(in TCommand command) => _channel.Writer.TryWrite(command);

    /// <summary>
    /// Nothing can be posted from now on; what was posted is still read. Any thread, any number of times.
    /// </summary>
    internal void Complete() => _channel.Writer.TryComplete();

    /// <summary>The leader only. In the order of posting.</summary>
    internal bool TryRead(out TCommand command) => _channel.Reader.TryRead(out command);
}

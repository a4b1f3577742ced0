using System;
using System.Threading;

namespace Gudp.Core;

/// <summary>What Core offers to the payload layer of one connection.</summary>
public sealed class PayloadHost
{
    private int _maxFrameBytes = ConnectionConfig.MinimumFrameBytes;
    private long _smoothedRttTicks;

    internal PayloadHost(Connection connection) => Connection = connection;

    /// <summary>The connection the layer rides on.</summary>
    public Connection Connection { get; }

    /// <summary>
    /// Bytes of frames that fit the largest packet now. Any thread. Before the handshake is done it is what fits in
    /// every case; it changes with the path.
    /// </summary>
    public int MaxFrameBytes => Volatile.Read(ref _maxFrameBytes);

    /// <summary>
    /// Bytes of packets that the window lets get in flight beyond those that are. Leader only; as it was before the last
    /// packet was asked for, and no limit before the first. Content that need not go at any price, such as repeats, can
    /// leave room for what comes.
    /// </summary>
    public int WindowRoomBytes { get; internal set; } = int.MaxValue;

    /// <summary>The smoothed round trip; zero before the first measurement. Any thread.</summary>
    public TimeSpan SmoothedRtt => new(Volatile.Read(ref _smoothedRttTicks));

    /// <summary>
    /// Whether the calling thread is inside a turn of the connection's daemon: it must not wait for what only a turn can
    /// bring. Any thread.
    /// </summary>
    public bool IsLedByCaller => Connection.IsLedByCaller;

    /// <summary>For waits of the layer's own: of the connection's daemon. Any thread.</summary>
    public ITurnWatch Watch => Connection.Watch;

    /// <summary>
    /// Says that there is something to tell the peer. Any thread; call after publishing. Cheap when it was said already
    /// and not yet looked at. It leaves with the next packet, or about 200 us later.
    /// </summary>
    public void Wake() => Connection.Touch();

    /// <summary>
    /// Says that the application has sent something. Any thread; call after publishing. The caller may run a turn of
    /// the daemon in it: at once if nothing is in flight on the connection and no layer of the daemon calls code of the
    /// user's, or if the bytes of these calls since the last turn have reached 65,507; else it leaves with the next
    /// packet, or about 200 us later.
    /// </summary>
    /// <param name="bytes">About how many bytes; 0 or more.</param>
    public void WakeToSend(int bytes) => Connection.TouchToSend(bytes);

    /// <summary>
    /// Says that nobody will accept the connection, because the layer knows where it belongs: it does not wait in the
    /// endpoint's queue. Leader only, during <see cref="IPacketPayload.HandleOpened"/>; nothing on a connection that
    /// this end opened.
    /// </summary>
    public void TakeIn() => IsTakenIn = true;

    /// <summary>Adds to the connection's count of content sent again. Leader only.</summary>
    /// <param name="ranges">How many pieces of content were offered again, 1 or more.</param>
    public void CountRetransmit(int ranges) => Connection.Counters.Retransmits += ranges;

    internal bool IsTakenIn { get; private set; }

    internal void Publish(int maxFrameBytes, TimeSpan smoothedRtt)
    {
        Volatile.Write(ref _maxFrameBytes, maxFrameBytes);
        Volatile.Write(ref _smoothedRttTicks, smoothedRtt.Ticks);
    }
}

using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>What a session needs of the connection under it: Core's, or a test's.</summary>
internal interface ISessionHost
{
    /// <summary>The largest span the connection will give for frames. Any thread.</summary>
    int MaxFrameBytes { get; }

    /// <summary>Bytes the window still lets get in flight. Leader only.</summary>
    int WindowRoomBytes => int.MaxValue;

    /// <summary>The smoothed round trip; zero before it is measured.</summary>
    TimeSpan SmoothedRtt => TimeSpan.Zero;

    /// <summary>
    /// The connection is final for its users. Any thread. The session is told only after what was queued has gone out.
    /// </summary>
    bool IsFinal { get; }

    /// <summary>Whether the calling thread is inside a turn of the connection. Any thread.</summary>
    bool IsLedByCaller => false;

    /// <summary>The connection.</summary>
    Connection Connection { get; }

    /// <summary>
    /// A message may be there to be read, by whoever reads all peers of the endpoint at once. Any thread; after the
    /// message was published. Without effect where nobody does.
    /// </summary>
    void OnReadable()
    {
    }

    /// <summary>The application has given the peer up: nobody reads from it any more. Any thread.</summary>
    void OnDiscarded()
    {
    }

    /// <summary>For those who wait for the session; null: they only sleep. Any thread.</summary>
    ITurnWatch? Watch => null;

    /// <summary>There is something to tell the peer. Any thread; cheap when already woken.</summary>
    void Wake();

    /// <summary>The application has sent something. Any thread; the caller may run a turn in it.</summary>
    void WakeToSend(int bytes) => Wake();

    /// <summary>Ends the connection. Any thread.</summary>
    void Close(CloseReason reason);

    /// <summary>Content went out again. Leader only.</summary>
    void CountRetransmit(int pieces);

    /// <summary>
    /// The connection opened and a sink takes its messages, so nobody will accept it: it must not fill the queue of
    /// those that wait for that. Leader only.
    /// </summary>
    void AcceptForSink();
}

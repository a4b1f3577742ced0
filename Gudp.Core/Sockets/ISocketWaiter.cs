using System;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>Waits for sockets and for a bell of its own.</summary>
/// <remarks><see cref="Ring"/> and disposal: any thread. <see cref="Wait"/>: one at a time.</remarks>
internal interface ISocketWaiter : IDisposable
{
    /// <summary>
    /// Until one of the sockets can be read, the bell rings, or the time is over. Rings that were heard are silenced;
    /// one more may follow from a thread slow to ring.
    /// </summary>
    /// <param name="sockets">Not changed. One that is closed meanwhile ends the wait.</param>
    /// <param name="limit">Zero or less only looks.</param>
    /// <returns>False only if the time is over.</returns>
    bool Wait(Socket[] sockets, TimeSpan limit);

    /// <summary>Ends the present wait, or the next.</summary>
    void Ring();
}

using System.Threading;

namespace Gudp.Core.Loop;

// Linked through the connections themselves, so that telling the leader neither allocates nor finds a queue full: a
// touch comes from a user thread in the middle of a send and has nobody to report a refusal to.
//
// Always true: a connection stands in it at most once. Its touched flag sees to that: set before it is added, cleared
// after it was taken out.

/// <summary>Connections that user threads have touched, on their way to whoever leads the turn.</summary>
internal sealed class TouchList
{
    private ILoopConnection? _newest;

    /// <summary>Any thread.</summary>
    internal bool IsEmpty => Volatile.Read(ref _newest) is null;

    /// <summary>Any thread, for a connection that is not in the list.</summary>
    internal void Add(ILoopConnection connection)
    {
        ILoopConnection? newest = Volatile.Read(ref _newest);

        while (true)
        {
            connection.NextTouched = newest;
            ILoopConnection? seen = Interlocked.CompareExchange(ref _newest, connection, newest);

            if (ReferenceEquals(seen, newest))
            {
                return;
            }

            newest = seen;
        }
    }

    /// <summary>The leader only. Takes all, linked oldest first.</summary>
    internal ILoopConnection? TakeAll()
    {
        // Most turns find nothing, and a read costs less than an exchange.
        ILoopConnection? rest = IsEmpty ? null : Interlocked.Exchange(ref _newest, null);
        ILoopConnection? oldestFirst = null;

        while (rest is not null)
        {
            ILoopConnection? older = rest.NextTouched;
            rest.NextTouched = oldestFirst;
            oldestFirst = rest;
            rest = older;
        }

        return oldestFirst;
    }
}

using System.Threading;
using Gudp.Core.Engine;
using Gudp.Core.Sockets;

namespace Gudp.Core.Loop;

/// <summary>A connection keeps its own place in the heap of deadlines.</summary>
internal sealed class EngineHeapSlot : IHeapSlot<ConnectionEngine>
{
    public int IndexOf(ConnectionEngine item) => item.HeapIndex;

    public void SetIndex(ConnectionEngine item, int index) => item.HeapIndex = index;
}

/// <summary>One socket and the protocol that speaks on it.</summary>
internal sealed class EndpointDriver(IDatagramSocket socket, EndpointEngine engine)
{
    private bool _isReleased;

    internal IDatagramSocket Socket { get; } = socket;

    /// <summary>As of <see cref="IDatagramSocket.OffloadRefusals"/>, counted already. Leader.</summary>
    internal long RefusalsCounted { get; set; }

    internal EndpointEngine Engine { get; } = engine;

    /// <summary>It is in the loop's list of endpoints. Leader, as the next two.</summary>
    internal bool IsKept { get; set; }

    /// <summary>Something arrived whose reply may wait to be sent.</summary>
    internal bool HasHeard { get; set; }

    /// <summary>The last look may have left something in the socket. Leader, as the next three.</summary>
    internal bool HoldsMany { get; set; }

    /// <summary>When something arrived last.</summary>
    internal Instant HeardAt { get; set; }

    /// <summary>When it was asked last.</summary>
    internal Instant AskedAt { get; set; }

    /// <summary>Turns that have not asked it since then.</summary>
    internal int TimesLeftOut { get; set; }

    /// <summary>Its connections as the loop has counted them.</summary>
    internal int ConnectionsCounted { get; set; }

    /// <summary>Of the layer on top of all its connections; null if that has none.</summary>
    internal IPayloadTimer? Timer { get; init; }

    /// <summary>
    /// The user has disposed the endpoint, or its socket has failed: it goes with its last connection. Any thread.
    /// </summary>
    internal bool IsReleased
    {
        get => Volatile.Read(ref _isReleased);
        set => Volatile.Write(ref _isReleased, value);
    }
}

internal enum LoopCommandKind : byte
{
    AddEndpoint,
    Connect,
}

/// <summary>What a user thread asks of the leader.</summary>
internal readonly record struct LoopCommand(
    LoopCommandKind Kind, EndpointDriver? Endpoint, ILoopConnection? Connection);

/// <summary>What the loop needs of the handle users hold, beside what the engine needs.</summary>
internal interface ILoopConnection : IConnectionOwner
{
    PeerAddress RemoteAddress { get; }

    /// <summary>Null until the leader has made it.</summary>
    ConnectionEngine? Engine { get; }

    EndpointDriver? Driver { get; }

    /// <summary>The next in the list of the touched; owned by <see cref="TouchList"/>.</summary>
    ILoopConnection? NextTouched { get; set; }

    /// <summary>Leader: from now on there is something to drive.</summary>
    void Attach(ConnectionEngine engine, EndpointDriver driver);

    /// <summary>Leader, before it looks: a touch from now on is a new one.</summary>
    void ClearTouched();

    /// <summary>It was never connected and will not be: final, its layer is told, and whoever waits goes on.</summary>
    void EndUnconnected(FinalReasons reasons, CloseReason reason, Instant now);

    /// <summary>Leader: it has ended and said its goodbyes; nothing of it is driven or counted any more.</summary>
    void HandleForgotten();
}

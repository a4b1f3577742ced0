using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>What a session needs of the connection under it.</summary>
internal interface ISessionHost
{
    /// <summary>The largest span the connection will give for frames. Any thread.</summary>
    int MaxFrameBytes { get; }

    /// <summary>There is something to send. Any thread; cheap when already woken.</summary>
    void Wake();

    /// <summary>Ends the connection. Any thread.</summary>
    void Close(FinalReasons reasons, CloseReason reason);

    /// <summary>Content went out again. Leader only.</summary>
    void CountRetransmit(int pieces);
}

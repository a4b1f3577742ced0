using System;
using Gudp.Core;

namespace Gudp.Sequencing.Engine;

/// <summary>Who asks a server from beside the run, one question after the other, without being a member.</summary>
internal interface IAsker
{
    /// <summary>What is to be sent; valid until the next call.</summary>
    bool TryPeekOutgoing(out ReadOnlySpan<byte> message);

    /// <summary>The peeked message was accepted by the link.</summary>
    void OnSent();

    /// <summary>Takes one message of the server, whatever is in it.</summary>
    void HandleMessage(ReadOnlySpan<byte> message);

    /// <summary>Nothing will come any more.</summary>
    void HandleLost(CloseReason? reason);
}

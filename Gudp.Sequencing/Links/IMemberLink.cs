using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing.Links;

/// <summary>
/// What a member needs of its connection to the server: a peer over the network, or the server in the same process. Messages
/// come whole, once and in order, and go into the member's engine without a stop on the way.
/// </summary>
internal interface IMemberLink : IDisposable
{
    /// <summary>Nothing more will come but what is here already.</summary>
    bool IsClosed { get; }

    CloseReason? CloseReason { get; }

    /// <summary>Counts connections: another number, another connection.</summary>
    int Incarnation { get; }

    /// <summary>Whether a lost connection is made again.</summary>
    bool IsPinned { get; }

    void Pin();

    void Unpin();

    SendStatus TrySend(ReadOnlySpan<byte> message);

    /// <returns>False if the time passed before there was room.</returns>
    bool WaitToSend(TimeSpan timeout);

    ValueTask WaitToSendAsync(CancellationToken cancellationToken);

    /// <summary>Hands one message to the engine, if there is one.</summary>
    bool TryReceive(MemberEngine into);

    /// <summary>Hands one message to the engine, once there is one.</summary>
    ReceiveStatus Receive(MemberEngine into, TimeSpan timeout);

    /// <returns>False if the connection ended and everything was taken in.</returns>
    ValueTask<bool> ReceiveAsync(MemberEngine into, CancellationToken cancellationToken);

    /// <returns>False if the time passed or the connection ended before the server had everything.</returns>
    bool Flush(TimeSpan timeout);
}

using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>A session's host that is a connection of Core.</summary>
internal sealed class ConnectionHost(PayloadHost host, MessageEndpoint endpoint) : ISessionHost
{
    public int MaxFrameBytes => host.MaxFrameBytes;

    public bool IsFinal => host.Connection.Status.IsFinal;

    public Connection Connection => host.Connection;

    public void OnReadable() => endpoint.Ready.Add(((MessageSession)host.Connection.Payload).Peer);

    public void OnDiscarded() => endpoint.Ready.Remove(((MessageSession)host.Connection.Payload).Peer);

    public void Wake() => host.Wake();

    public void Close(CloseReason reason) => host.Connection.Close(reason);

    public void CountRetransmit(int pieces) => host.CountRetransmit(pieces);

    public void AcceptForSink() => endpoint.AcceptForSink();
}

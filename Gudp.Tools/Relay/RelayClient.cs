using Gudp.Core;
using Gudp.Core.Sockets;

namespace Gudp.Tools.Relay;

/// <summary>One client of a relay: to the target it is the port of its own upstream socket.</summary>
internal sealed class RelayClient
{
    internal required int Slot { get; init; }

    internal required PeerAddress Address { get; init; }

    internal required IDatagramSocket Upstream { get; set; }

    internal required RelayPath.Route ToTarget { get; init; }

    internal required RelayPath.Route ToClient { get; init; }

    internal Instant LastHeard { get; set; }

    /// <summary>When it gets its next upstream socket.</summary>
    internal Instant NextRebind { get; set; }

    internal void Close()
    {
        Upstream.Dispose();
        ToTarget.Close();
        ToClient.Close();
    }
}

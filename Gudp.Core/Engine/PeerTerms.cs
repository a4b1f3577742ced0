using System;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>What the peer announced in the handshake, in our units and within our bounds.</summary>
internal readonly record struct PeerTerms
{
    internal PeerId PeerId { get; private init; }

    internal ulong Instance { get; private init; }

    internal int LargestDatagramBytes { get; private init; }

    internal int SocketBufferBytes { get; private init; }

    internal TimeSpan MaxAckDelay { get; private init; }

    internal TimeSpan IdleTimeout { get; private init; }

    internal PayloadParameters Payload { get; private init; }

    /// <summary>Announces our own terms.</summary>
    internal static void Write(
        HandshakeParameters into, EndpointSettings endpoint, in ConnectionConfig config, in PayloadParameters payload)
    {
        Span<byte> id = stackalloc byte[Gudp.Core.PeerId.Bytes];
        endpoint.PeerId.Write(id);
        into.InstanceNumber = endpoint.Identity.Instance;
        into.PeerId = id;
        into.IdleTimeoutMilliseconds = (long)config.IdleTimeout.TotalMilliseconds;
        into.MaxAckDelayMicroseconds = (long)config.Loss.MaxAckDelay.TotalMicroseconds;
        into.LargestDatagramBytes = config.Path.LargestBytes;
        into.ReceiveBufferBytes = endpoint.ReceiveBufferBytes;
        into.ConnectionCreditBytes = payload.ConnectionCreditBytes;
        into.LaneCreditBytes = payload.LaneCreditBytes;
        into.LargestMessageBytes = payload.LargestMessageBytes;
        into.Lanes = payload.Lanes;
        into.SetPayload(payload.Protocol, payload.Version);
    }

    /// <summary>
    /// Reads the peer's, which hold every parameter their packet must have. Extremes are clamped (H29).
    /// </summary>
    internal static PeerTerms Read(HandshakeParameters from) => new()
    {
        PeerId = Gudp.Core.PeerId.Read(from.PeerId),
        Instance = from.InstanceNumber!.Value,
        LargestDatagramBytes = (int)Math.Clamp(
            from.LargestDatagramBytes!.Value, WireFormat.MinimumHelloBytes, WireFormat.MaxDatagramBytes),
        SocketBufferBytes = (int)Math.Clamp(from.ReceiveBufferBytes!.Value, LeastSocketBufferBytes, int.MaxValue),
        MaxAckDelay = TimeSpan.FromMicroseconds(
            Math.Clamp(from.MaxAckDelayMicroseconds!.Value, 0, LongestAckDelayMicroseconds)),
        IdleTimeout = TimeSpan.FromMilliseconds(
            Math.Clamp(from.IdleTimeoutMilliseconds!.Value, ShortestIdleMilliseconds, LongestIdleMilliseconds)),
        Payload = new PayloadParameters
        {
            Protocol = (int)Math.Min(from.PayloadProtocol!.Value, int.MaxValue),
            Version = (int)Math.Min(from.PayloadVersion!.Value, int.MaxValue),
            ConnectionCreditBytes = from.ConnectionCreditBytes!.Value,
            LaneCreditBytes = from.LaneCreditBytes!.Value,
            LargestMessageBytes = from.LargestMessageBytes!.Value,
            Lanes = (int)Math.Clamp(from.Lanes!.Value, 1, MostLanes),
        },
    };

    private const int LeastSocketBufferBytes = 16 * 1024;
    private const long LongestAckDelayMicroseconds = 1_000_000;
    private const long ShortestIdleMilliseconds = 100;
    private const long LongestIdleMilliseconds = 24L * 3600 * 1000;
    private const int MostLanes = 256;
}

using System;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Gudp.Core.Config;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>What all connections of one endpoint have in common; made once, never changed.</summary>
internal sealed class EndpointSettings
{
    internal EndpointSettings(GudpConfig config, ProcessIdentity identity, int receiveBufferBytes, Prng choices)
    {
        Identity = identity;
        ApplicationId = config.ApplicationId;
        MaxConnections = config.MaxConnections;
        SentSlots = Limits.From(config).SentSlots;
        ReceiveBufferBytes = receiveBufferBytes;
        Trailer = new PacketTrailer(config.ApplicationId);
        Choices = choices;
    }

    internal ProcessIdentity Identity { get; }

    /// <summary>Who the endpoint is to its peers.</summary>
    internal PeerId PeerId { get; init; }

    internal ulong ApplicationId { get; }

    internal int MaxConnections { get; }

    /// <summary>Size of a connection's ring of sent packets, a power of two.</summary>
    internal int SentSlots { get; }

    /// <summary>What the kernel granted; the peer keeps its bursts below it.</summary>
    internal int ReceiveBufferBytes { get; }

    internal PacketTrailer Trailer { get; }

    internal Prng Choices { get; }

    /// <summary>Datagrams leave whole or not at all, so that a path can be asked how large they may be.</summary>
    internal bool CanProbeSize { get; init; } = true;

    /// <summary>Ids that connections have given away beside their first.</summary>
    internal SpareIdTable SpareIds { get; } = new();

    /// <summary>Hears what happens to packets; null: nobody does.</summary>
    internal IPacketTrace? Trace { get; init; }

    /// <summary>Where counting begins; zero but in tests.</summary>
    internal FirstNumbers FirstNumbers { get; init; }
}

/// <summary>
/// Where both ends begin to count, so that tests come near the end of the numbers in less than a lifetime.
/// </summary>
/// <param name="Packet">The first packet number of both directions.</param>
/// <param name="Id">The first id of reliable packets of both directions.</param>
internal readonly record struct FirstNumbers(long Packet, long Id);

/// <summary>Who this process is to its peers, drawn once per daemon (security section 4.6).</summary>
internal sealed class ProcessIdentity
{
    internal ProcessIdentity(ISecretSource secrets)
    {
        Secrets = secrets;
        Instance = NextId();
        secrets.Fill(ResetKey);
    }

    internal ISecretSource Secrets { get; }

    /// <summary>Another number at the same address tells a peer that this process was restarted.</summary>
    internal ulong Instance { get; }

    /// <summary>Key of the reset tokens given away.</summary>
    internal byte[] ResetKey { get; } = new byte[32];

    /// <summary>The token that will tell the peer that this id was forgotten.</summary>
    /// <param name="token">Receives <see cref="WireFormat.ResetTokenBytes"/> bytes.</param>
    internal void WriteResetToken(ulong id, Span<byte> token)
    {
        Span<byte> text = stackalloc byte[sizeof(ulong)];
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(text, id);
        HMACSHA256.HashData(ResetKey, text, mac);
        mac[..token.Length].CopyTo(token);
    }

    /// <summary>A fresh random id for an endpoint that was not given one.</summary>
    internal PeerId NextPeerId()
    {
        Span<byte> bytes = stackalloc byte[PeerId.Bytes];
        PeerId id;

        do
        {
            Secrets.Fill(bytes);
            id = PeerId.Read(bytes);
        }
        while (!id.IsKnown);

        return id;
    }

    /// <summary>A fresh random id that no stranger can guess; never zero.</summary>
    internal ulong NextId()
    {
        Span<byte> bytes = stackalloc byte[8];
        ulong id;

        do
        {
            Secrets.Fill(bytes);
            id = BitConverter.ToUInt64(bytes);
        }
        while (id == 0);

        return id;
    }
}

/// <summary>What an engine needs of the handle users hold; implemented by <see cref="Connection"/>.</summary>
internal interface IConnectionOwner
{
    SharedConfig Config { get; }

    StatusWord StatusWord { get; }

    ConnectionCounterSet Counters { get; }

    IPacketPayload Payload { get; }

    /// <summary>What the handshake announces for the payload layer.</summary>
    PayloadParameters Announced { get; }

    /// <summary>How long after it was asked for the client's handshake begins.</summary>
    TimeSpan StartsAfter { get; }

    /// <summary>Frames from now on have this much room; the round trip is this long (zero: not known yet).</summary>
    void Publish(int maxFrameBytes, TimeSpan smoothedRtt);

    /// <summary>Leader: what the window leaves, before the payload is asked for the next packet.</summary>
    void ShowWindowRoom(int bytes);

    /// <summary>The handshake has told who the peer is; before its payload layer hears that it is open.</summary>
    void HandleIdentified(PeerId peer, ulong instance);

    /// <summary>The peer has proved to be at another address; packets go there from now on.</summary>
    void HandleMoved(PeerAddress remote);

    /// <summary>True once after the payload layer learned that the peer has room again (P-8.8).</summary>
    bool TakeProbeAsked();
}

/// <summary>Takes in the connections that peers open; implemented by <see cref="Endpoint"/>.</summary>
internal interface IConnectionAcceptor
{
    /// <summary>Announced to peers in the handshake.</summary>
    ConnectionConfig Config { get; }

    /// <summary>What the handshake announces for the payload layer.</summary>
    PayloadParameters Announced { get; }

    /// <summary>Two ends that dial each other at once end up with one connection (S-10.4).</summary>
    bool HasOneConnectionPerPeer { get; }

    /// <summary>True while strangers are answered at all.</summary>
    bool IsListening { get; }

    /// <summary>True if one more would find room in the accept queue.</summary>
    bool HasRoom { get; }

    /// <summary>Makes the handle of a connection whose peer has just finished the handshake.</summary>
    IConnectionOwner Admit(PeerAddress remote);

    /// <summary>The engine of that handle exists and is open: users may accept it.</summary>
    void HandleAdmitted(IConnectionOwner owner, ConnectionEngine engine);

    /// <summary>The socket or the daemon has ended: nobody will come any more.</summary>
    void HandleEnd();
}

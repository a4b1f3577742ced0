using Gudp.Core;
using Gudp.Core.Buffers;
using Gudp.Core.Packets;
using Gudp.Core.Wire;

namespace Gudp.Tests.World;

/// <summary>A mailbox without a connection around it: the test hands in frames, fates and moments itself.</summary>
internal sealed class MailboxEnd : IMailboxHost
{
    private readonly byte[] _room = new byte[2_000];
    private long _nextPacket;

    internal MailboxEnd(QueueConfig queues = default, MemoryBudget? budget = null)
        => Mailbox = new PacketMailbox(this, queues, budget);

    internal PacketMailbox Mailbox { get; }

    public int MaxFrameBytes { get; set; } = 1_100;

    public Instant Now { get; set; }

    public ConnectionCounterSet Counters { get; } = new();

    public bool IsFinal { get; set; }

    internal int Wakes { get; private set; }

    internal int ProbesAsked { get; private set; }

    public void Wake() => Wakes++;

    public void WakeToSend(int bytes) => Wakes++;

    public void AskProbe() => ProbesAsked++;

    internal PacketTicket Send(PacketOptions options, params byte[] packet)
    {
        SendStatus status = Mailbox.TryPost(packet, options, wantsTicket: true, out PacketTicket ticket);
        return status == SendStatus.Accepted ? ticket : throw new InvalidOperationException($"{status}");
    }

    internal PacketTicket SendReliable(params byte[] packet)
        => Send(new PacketOptions { Delivery = PacketDelivery.Reliable, NotifyReceived = true }, packet);

    /// <summary>What the next packet carries; its number counts from 0.</summary>
    internal byte[] Write(out PacketNumber packet, int room = 1_100)
    {
        packet = new PacketNumber(_nextPacket);
        int written = Mailbox.WriteFrames(packet, _room.AsSpan(0, Math.Min(room, MaxFrameBytes)), Now);
        _nextPacket += written > 0 ? 1 : 0;
        return _room[..written];
    }

    internal PayloadVerdict Take(byte[] frames) => Mailbox.HandleFrames(new PacketNumber(0), frames, Now);

    internal PacketUpdate[] Updates()
    {
        PacketUpdate[] updates = new PacketUpdate[100];
        return updates[..Mailbox.TakeUpdates(updates)];
    }

    internal byte[]? Receive()
    {
        byte[] packet = new byte[2_000];
        return Mailbox.TryReceive(packet, out int length) == ReceiveStatus.Received ? packet[..length] : null;
    }

    internal void End() => Mailbox.HandleStatus(default, null, Now);

    /// <summary>The packets in these frames, as "u" or "r" with the id, and their bytes; "room" for the notice.</summary>
    internal static string[] Read(ReadOnlySpan<byte> frames)
    {
        List<string> found = [];

        while (!frames.IsEmpty)
        {
            int read = UserPacketFrame.TryRead(frames, out UserPacketFrame user);
            string kind = user.IsReliable ? $"r{user.Id}" : "u";
            found.Add(read == 0 ? "room" : $"{kind}:{Convert.ToHexString(user.Bytes)}");
            frames = frames[Math.Max(read, 1)..];
        }

        return [.. found];
    }

    internal static byte[] ReliableFrame(ulong id, params byte[] packet)
    {
        byte[] frame = new byte[UserPacketFrame.ReliableOverhead(id, packet.Length) + packet.Length];
        UserPacketFrame.WriteReliable(frame, id, packet);
        return frame;
    }

    internal static byte[] UnreliableFrame(params byte[] packet)
    {
        byte[] frame = new byte[UserPacketFrame.Overhead(packet.Length) + packet.Length];
        UserPacketFrame.Write(frame, packet);
        return frame;
    }
}

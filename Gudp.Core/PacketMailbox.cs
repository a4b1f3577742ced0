using System;
using System.Threading;
using Gudp.Core.Buffers;
using Gudp.Core.Wire;

namespace Gudp.Core;

// The door's plain implementation: what a connection uses when no message layer sits on top. Packets keep their
// boundaries, go out once, and are not sent again.
//
// Always true:
//   - the outbox ring holds whole packets, each behind its 2-byte length; _used is the sum of both;
//   - what was refused was not queued, and what was accepted leaves unless the connection ends first.
internal sealed class PacketMailbox : IPacketPayload
{
    private const int LengthBytes = 2;

    private const int FirstRingBytes = 4 * 1024;

    private readonly object _gate = new();
    private readonly QueueConfig _queues;
    private readonly MemoryBudget? _budget;
    private readonly ReadBuffer _inbox;
    private byte[] _ring = [];
    private int _head;
    private int _used;
    private int _waiting;
    private bool _isEnded;

    /// <param name="queues">The limits of this connection.</param>
    /// <param name="budget">The daemon's memory; queues grow out of it in steps and give it back at the end.</param>
    internal PacketMailbox(QueueConfig queues, MemoryBudget? budget)
    {
        _queues = queues;
        _budget = budget;
        _inbox = new ReadBuffer(queues.ReceivePackets, queues.ReceiveBytes, budget);
    }

    internal static PayloadParameters Parameters { get; } = new() { Protocol = 0, Version = 1 };

    internal ReadBuffer Inbox => _inbox;

    public bool HasDataToSend => Volatile.Read(ref _waiting) > 0;

    public bool HasUnfinished => HasDataToSend;

    /// <summary>Leader; users post meanwhile, so the two numbers need not match each other.</summary>
    public SendBacklog Backlog
    {
        get
        {
            int packets = Volatile.Read(ref _waiting);
            int bytes = Volatile.Read(ref _used);
            long byBytes = (long)bytes * SendQueueRule.WholePermille / _queues.SendBytes;
            long byPackets = (long)packets * SendQueueRule.WholePermille / _queues.SendPackets;
            return new SendBacklog(bytes, packets, (int)Math.Max(byBytes, byPackets));
        }
    }

    public Instant NextDeadline => Instant.Never;

    /// <summary>Any thread. Copies the packet, or refuses it whole and says which limit stands against it.</summary>
    internal SendStatus TryPost(ReadOnlySpan<byte> packet)
    {
        lock (_gate)
        {
            int needed = LengthBytes + packet.Length;

            if (_isEnded)
            {
                return SendStatus.Closed;
            }

            if (_waiting == _queues.SendPackets || _queues.SendBytes - _used < needed)
            {
                return SendStatus.PeerFull;
            }

            if (_ring.Length - _used < needed && !TryGrow(_used + needed))
            {
                return SendStatus.DaemonFull;
            }

            int tail = (_head + _used) % _ring.Length;
            _ring[tail] = (byte)(packet.Length >> 8);
            _ring[(tail + 1) % _ring.Length] = (byte)packet.Length;
            CopyIn(packet, (tail + LengthBytes) % _ring.Length);
            _used += needed;
            Volatile.Write(ref _waiting, _waiting + 1);
            return SendStatus.Accepted;
        }
    }

    public void HandleOpened(in PayloadParameters peer, Instant now)
    {
    }

    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
    {
        int written = 0;

        lock (_gate)
        {
            while (_waiting > 0)
            {
                int length = (_ring[_head] << 8) | _ring[(_head + 1) % _ring.Length];
                int frameBytes = UserPacketFrame.Overhead(length) + length;

                if (frameBytes > destination.Length - written)
                {
                    break;
                }

                Span<byte> frame = destination.Slice(written, frameBytes);
                CopyOut((_head + LengthBytes) % _ring.Length, UserPacketFrame.WriteHead(frame, length));
                written += frameBytes;
                _head = (_head + LengthBytes + length) % _ring.Length;
                _used -= LengthBytes + length;
                Volatile.Write(ref _waiting, _waiting - 1);
            }
        }

        return written;
    }

    public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
    {
        PayloadVerdict verdict = Check(frames, out int packets, out int bytes);

        if (verdict != PayloadVerdict.Held)
        {
            return verdict;
        }

        if (!_inbox.HasRoomFor(packets, bytes))
        {
            return PayloadVerdict.Refused;
        }

        while (!frames.IsEmpty)
        {
            int read = UserPacketFrame.TryRead(frames, out UserPacketFrame user);

            if (read > 0)
            {
                bool added = _inbox.TryAdd(user.Bytes);
                Invariant.Require(added, "Only the leader adds, so room that was there is still there.");
            }

            frames = frames[(read > 0 ? read : FrameSkip.TrySkip(frames))..];
        }

        return PayloadVerdict.Held;
    }

    public void HandleAcked(PacketNumber packet, Instant now)
    {
    }

    public void HandleLost(PacketNumber packet, Instant now)
    {
    }

    public void HandleOverdue(PacketNumber packet, Instant now)
    {
    }

    public void HandleTimeout(Instant now)
    {
    }

    public void HandleTurnEnd(Instant now)
    {
    }

    public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
    {
        _inbox.End();

        lock (_gate)
        {
            _isEnded = true;
            _budget?.Release(_ring.Length);
            _ring = [];
            _used = 0;
            Volatile.Write(ref _waiting, 0);
        }
    }

    private static PayloadVerdict Check(ReadOnlySpan<byte> frames, out int packets, out int bytes)
    {
        packets = 0;
        bytes = 0;

        while (!frames.IsEmpty)
        {
            int read = UserPacketFrame.TryRead(frames, out UserPacketFrame user);

            if (read > 0)
            {
                packets++;
                bytes += user.Bytes.Length;
            }
            else
            {
                read = FrameSkip.TrySkip(frames);
            }

            if (read <= 0)
            {
                return IsKnown(frames) ? PayloadVerdict.Malformed : PayloadVerdict.UnknownFrame;
            }

            frames = frames[read..];
        }

        return PayloadVerdict.Held;
    }

    /// <summary>Doubles the ring until it holds so much; the packets in it move to its start.</summary>
    private bool TryGrow(int neededBytes)
    {
        int size = Math.Max(_ring.Length, FirstRingBytes);

        while (size < neededBytes)
        {
            size = Math.Min(size * 2, _queues.SendBytes);
        }

        if (_budget is not null && !_budget.TryReserve(size - _ring.Length))
        {
            return false;
        }

        byte[] larger = GC.AllocateUninitializedArray<byte>(size);
        CopyOut(_head, larger.AsSpan(0, _used));
        _ring = larger;
        _head = 0;
        return true;
    }

    private static bool IsKnown(ReadOnlySpan<byte> frames)
        => FrameType.TryRead(frames, out ulong type) == 0
            || type is FrameType.UserPacket or FrameType.UserPacketReliable
            || FrameType.IsSkippable(type);

    private void CopyIn(ReadOnlySpan<byte> packet, int at)
    {
        int first = Math.Min(packet.Length, _ring.Length - at);
        packet[..first].CopyTo(_ring.AsSpan(at));
        packet[first..].CopyTo(_ring);
    }

    private void CopyOut(int at, Span<byte> packet)
    {
        int first = Math.Min(packet.Length, _ring.Length - at);
        _ring.AsSpan(at, first).CopyTo(packet);
        _ring.AsSpan(0, packet.Length - first).CopyTo(packet[first..]);
    }
}

using System;
using System.Threading;
using Gudp.Core.Wire;

namespace Gudp.Core.Packets;

// What comes in: checked whole, then taken or refused whole. Handed in by the leader, taken out by any thread.
//
// Always true:
//   - a reliable packet that is noted in _known is in the inbox, or was taken from it;
//   - while something refused may be told of, _hasRefused is set, so that whoever takes from the inbox wakes it up.
internal sealed partial class PacketMailbox
{
    private IdWindow? _known;
    private Content _refused;
    private bool _hasRefused;
    private bool _isRoomOwed;

    /// <summary>Any thread.</summary>
    internal ReceiveStatus TryReceive(Span<byte> destination, out int length)
        => AfterTake(_inbox.TryTake(destination, out length));

    /// <summary>Any thread; waits.</summary>
    internal ReceiveStatus Receive(Span<byte> destination, TimeSpan timeout, out int length)
        => AfterTake(_inbox.Take(destination, timeout, out length));

    /// <summary>Any thread: nothing more comes in, and whoever waits goes on.</summary>
    internal void EndInbox() => _inbox.End();

    /// <summary>Any thread: as <see cref="EndInbox"/>, and nobody will take what lies there.</summary>
    internal void DiscardInbox() => _inbox.Discard();

    public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
    {
        PayloadVerdict verdict = Check(frames, out Content content);

        if (verdict != PayloadVerdict.Held)
        {
            return verdict;
        }

        if (content.HasRoomFrame)
        {
            _host.AskProbe();
        }

        if (!HasRoomForReliable(content) || !TryMakeWindow(content))
        {
            // Set before the inbox is looked at once more: a reader that emptied it meanwhile has not seen the flag.
            _refused = content;
            Volatile.Write(ref _hasRefused, true);
            return PayloadVerdict.Refused;
        }

        // While something was refused, what comes once only must not take its room time and again.
        bool hasRoomForAll = !Volatile.Read(ref _hasRefused) && _inbox.HasRoomFor(
            content.ReliablePackets + content.UnreliablePackets, content.ReliableBytes + content.UnreliableBytes);

        if (hasRoomForAll)
        {
            Take(frames, reliable: true, unreliable: true);
        }
        else
        {
            // The room that is left is for what would come again (P-8.8).
            Take(frames, reliable: true, unreliable: false);
            Take(frames, reliable: false, unreliable: true);
        }

        return PayloadVerdict.Held;
    }

    private PayloadVerdict Check(ReadOnlySpan<byte> frames, out Content content)
    {
        content = default;

        while (!frames.IsEmpty)
        {
            int read = UserPacketFrame.TryRead(frames, out UserPacketFrame user);

            if (read > 0)
            {
                Count(user, ref content);
            }
            else if (frames[0] == FrameType.UserPacketRoom)
            {
                content.HasRoomFrame = true;
                read = 1;
            }
            else
            {
                read = FrameSkip.TrySkip(frames);
            }

            if (read <= 0)
            {
                return IsKnownType(frames) ? PayloadVerdict.Malformed : PayloadVerdict.UnknownFrame;
            }

            frames = frames[read..];
        }

        return PayloadVerdict.Held;
    }

    private void Count(in UserPacketFrame user, ref Content content)
    {
        if (!user.IsReliable)
        {
            content.UnreliablePackets++;
            content.UnreliableBytes += user.Bytes.Length;
        }
        else if (_known is null || !_known.IsKnown((long)user.Id))
        {
            content.ReliablePackets++;
            content.ReliableBytes += user.Bytes.Length;
        }
    }

    private void Take(ReadOnlySpan<byte> frames, bool reliable, bool unreliable)
    {
        while (!frames.IsEmpty)
        {
            int read = UserPacketFrame.TryRead(frames, out UserPacketFrame user);

            if (read == 0)
            {
                frames = frames[(frames[0] == FrameType.UserPacketRoom ? 1 : FrameSkip.TrySkip(frames))..];
                continue;
            }

            if (user.IsReliable && reliable)
            {
                TakeReliable(user);
            }
            else if (!user.IsReliable && unreliable && (Volatile.Read(ref _hasRefused) || !_inbox.TryAdd(user.Bytes)))
            {
                _host.Counters.UserPacketsUnread++;
            }

            frames = frames[read..];
        }
    }

    private void TakeReliable(in UserPacketFrame user)
    {
        if (_known!.IsKnown((long)user.Id))
        {
            _host.Counters.UserPacketsRepeated++;
            return;
        }

        _known.Add((long)user.Id);
        bool added = _inbox.TryAdd(user.Bytes);
        Invariant.Require(added, "Only the leader adds, so room that was there is still there.");
    }

    private bool HasRoomForReliable(in Content content)
        => _inbox.HasRoomForWhole(content.ReliablePackets, content.ReliableBytes);

    // Made with the first reliable packet: most connections of Core that send none must not pay for it.
    private bool TryMakeWindow(in Content content)
    {
        if (_known is not null || content.ReliablePackets == 0)
        {
            return true;
        }

        if (_budget is not null && !_budget.TryReserve(IdWindow.Bytes))
        {
            return false;
        }

        _known = new IdWindow(_firstId);
        return true;
    }

    private void ForgetIds()
    {
        if (_known is not null)
        {
            _known = null;
            _budget?.Release(IdWindow.Bytes);
        }
    }

    private ReceiveStatus AfterTake(ReceiveStatus status)
    {
        if (status == ReceiveStatus.Received && Volatile.Read(ref _hasRefused) && _inbox.IsHalfEmpty)
        {
            _host.Wake();
        }

        return status;
    }

    // Not with every packet taken: a sender that is woken for one packet sends one.
    private bool HasRoomForRefused
        => Volatile.Read(ref _hasRefused) && _inbox.IsHalfEmpty && HasRoomForReliable(_refused)
            && TryMakeWindow(_refused);

    private int WriteRoom(PacketNumber packet, Span<byte> destination)
    {
        if (HasRoomForRefused)
        {
            Volatile.Write(ref _hasRefused, false);
            _isRoomOwed = true;
        }

        if (!_isRoomOwed || !MayNote || destination.IsEmpty)
        {
            return 0;
        }

        _isRoomOwed = false;
        destination[0] = FrameType.UserPacketRoom;
        _outbox.Note(packet, RoomRecord);
        return 1;
    }

    private static bool IsKnownType(ReadOnlySpan<byte> frames)
        => FrameType.TryRead(frames, out ulong type) == 0
            || type is FrameType.UserPacket or FrameType.UserPacketReliable or FrameType.UserPacketRoom
            || FrameType.IsSkippable(type);

    /// <summary>What a datagram brings that is not known yet.</summary>
    private struct Content
    {
        internal int ReliablePackets;
        internal int ReliableBytes;
        internal int UnreliablePackets;
        internal int UnreliableBytes;
        internal bool HasRoomFrame;
    }
}

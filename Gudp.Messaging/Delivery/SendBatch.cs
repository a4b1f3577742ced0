using System;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>
/// Many messages for one lane, for a few nanoseconds each: they are collected and handed to the lane together, some
/// hundred at a time and the rest when the batch ends. Made by <see cref="Peer.BeginBatch"/>.
/// </summary>
/// <remarks>
/// <para>
/// <c>using</c> ends it. What was accepted goes out, in the order it was accepted, unless the connection's end or the
/// endpoint's shutdown comes before it is handed over. Room in the lane's ring (up to 16 KB) is kept for what is
/// collected, and nothing else: no lock is held, and others send on the lane meanwhile, whose messages may stand between
/// those of the batch. A batch that is never ended keeps what it has collected, and that much of the lane's room.
/// </para>
/// <para>
/// One batch of a lane collects at a time. A second one, one with options that ask for updates, set time-outs or limit
/// attempts, and one on a lane of another mode than <see cref="LaneMode.OrderedReliable"/> hand each message over at
/// once; only the leader is told at the end. One thread. A copy of the value is the same batch.
/// </para>
/// </remarks>
public ref struct SendBatch
{
    // A longer one is as cheap by itself as a copy more would be.
    private const int LongestCollected = BatchRoom.MostBytes / 4;

    // Of messages handed over one by one: with so many the leader has packets enough to fill.
    private const int MostUntoldBytes = 64 * 1024;

    private readonly MessageSession _session;
    private readonly SendLane _lane;
    private readonly SendOptions _options;
    private readonly BatchRoom? _room;
    private readonly long _number;

    // Of messages in the lane that the leader was not told of; with a room they stand there, for copies of the value.
    private int _untoldBytes;

    internal SendBatch(MessageSession session, in SendOptions options)
    {
        _session = session;
        _options = options;
        _lane = session.SendLaneOf(options.Lane);
        _room = session.RefusesAll ? null : _lane.TryOpenBatch(options);
        _number = _room?.Number ?? 0;
    }

    private readonly bool IsCollecting => _room is { } room && room.Number == _number;

    /// <summary>Adds one message.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <returns>
    /// As <see cref="Peer.TrySend(ReadOnlySpan{byte}, SendOptions)"/>. Whatever it is, messages accepted before are not
    /// affected; after <see cref="SendStatus.LaneFull"/> and <see cref="SendStatus.NoCredit"/> all of them are in the
    /// lane.
    /// </returns>
    /// <exception cref="InvalidOperationException">The batch was ended.</exception>
    public SendStatus TrySend(scoped ReadOnlySpan<byte> message)
        => IsCollecting && _room!.TryAdd(message) ? SendStatus.Accepted : TrySendBeside(message, out _);

    /// <summary>
    /// As <see cref="TrySend(ReadOnlySpan{byte})"/>, and tells the message's receipt: at a single send's cost.
    /// </summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="receipt">If accepted: the message's id and first states.</param>
    /// <returns>As above.</returns>
    /// <exception cref="InvalidOperationException">The batch was ended.</exception>
    public SendStatus TrySend(scoped ReadOnlySpan<byte> message, out SendReceipt receipt)
    {
        RequireOpen();
        receipt = default;
        SendStatus status = _room is null ? SendStatus.Accepted : HandOver(isLast: false);
        return status == SendStatus.Accepted ? SendOne(message, out receipt) : status;
    }

    /// <summary>Hands over what was collected; the batch goes on.</summary>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; or <see cref="SendStatus.Closed"/>, or <see cref="SendStatus.NotOpen"/> if the
    /// peer is pinned and is dialled again: the connection ended, and what was collected since the last time is dropped.
    /// </returns>
    /// <exception cref="InvalidOperationException">The batch was ended.</exception>
    public SendStatus Flush()
    {
        RequireOpen();
        return HandOver(isLast: false);
    }

    /// <summary>Hands over what was collected, and ends the batch. Without effect on one that was ended.</summary>
    public void Dispose()
    {
        if (_session is not null && (_room is null || IsCollecting))
        {
            HandOver(isLast: true);
        }
    }

    private SendStatus HandOver(bool isLast)
    {
        int bytes = TakeUntold();

        if (_room is null)
        {
            // A copy may have sent: this one need not know of all that the leader was not told.
            return _session.RefusesAll ? SendStatus.Accepted : _session.Conclude(SendStatus.Accepted, _lane, bytes);
        }

        bytes += _room.Used;
        SendStatus status = _lane.HandOver(_room, isLast);
        return bytes > 0 ? _session.Conclude(status, _lane, bytes) : SendStatus.Accepted;
    }

    private readonly int UntoldBytes => _room?.UntoldBytes ?? _untoldBytes;

    private int TakeUntold()
    {
        int bytes = UntoldBytes;
        NoteUntold(0);
        return bytes;
    }

    private void NoteUntold(int bytes)
    {
        if (_room is null)
        {
            _untoldBytes = bytes;
        }
        else
        {
            _room.UntoldBytes = bytes;
        }
    }

    // Who is refused waits for room, which the leader makes once it knows what is in the lane. True: there may be now.
    private bool TellUntold()
    {
        int bytes = TakeUntold();
        return bytes > 0 && _session.Conclude(SendStatus.Accepted, _lane, bytes) == SendStatus.Accepted;
    }

    // The rare ones: the room is used up, the message is long, or nothing is collected here.
    private SendStatus TrySendBeside(scoped ReadOnlySpan<byte> message, out SendReceipt receipt)
    {
        RequireOpen();
        receipt = default;

        if (_room is null)
        {
            return SendOne(message, out receipt);
        }

        if (message.Length > LongestCollected)
        {
            SendStatus handed = HandOver(isLast: false);
            return handed == SendStatus.Accepted ? SendOne(message, out receipt) : handed;
        }

        SendStatus status = TryMakeRoom(message.Length);

        if (status != SendStatus.Accepted)
        {
            return _session.Conclude(status, _lane);
        }

        return _room.TryAdd(message) ? status : SendOne(message, out receipt);
    }

    private SendStatus TryMakeRoom(int length)
    {
        if (_session.RefusesAll)
        {
            return SendStatus.Closed;
        }

        int bytes = TakeUntold() + _room!.Used;
        SendStatus status = _lane.TryMakeRoom(_room, length);

        // Who is told may lead a turn: then there may be room now.
        if (bytes > 0 && _session.Conclude(SendStatus.Accepted, _lane, bytes) == SendStatus.Accepted
            && status is SendStatus.LaneFull or SendStatus.NoCredit)
        {
            status = _lane.TryMakeRoom(_room, length);
        }

        return status;
    }

    // Into the lane at once; the leader hears of it with the rest.
    private SendStatus SendOne(scoped ReadOnlySpan<byte> message, out SendReceipt receipt)
    {
        receipt = default;

        if (_session.RefusesAll)
        {
            return _session.Conclude(SendStatus.Closed);
        }

        SendStatus status = _lane.TrySend(message, _options, out MessageId id);

        if (status != SendStatus.Accepted && TellUntold())
        {
            status = _lane.TrySend(message, _options, out id);
        }

        if (status != SendStatus.Accepted)
        {
            return _session.Conclude(status, _lane);
        }

        NoteUntold(UntoldBytes + Math.Min(message.Length, MostUntoldBytes) + 1);

        if (UntoldBytes >= MostUntoldBytes)
        {
            _ = TellUntold();
        }

        receipt = MessageSession.FirstReceipt(id with { Incarnation = _session.Incarnation });
        return status;
    }

    private readonly void RequireOpen()
    {
        if (_session is null || (_room is not null && !IsCollecting))
        {
            throw new InvalidOperationException("The batch was ended; make another one with Peer.BeginBatch.");
        }
    }
}

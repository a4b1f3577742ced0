using System;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>
/// Room for one message, written in place: commit it to send, or abandon it to give the room back.
/// </summary>
/// <remarks>
/// Later messages of the lane wait for an open claim, so end it soon, also when writing fails. Not disposable on
/// purpose: a using statement would work on a copy, which does not know that the original was committed. A claim of
/// more than a quarter of the lane's ring (or of the peer's credit for the lane) takes its place in the lane only when
/// committed.
/// One thread.
/// </remarks>
public ref struct MessageClaim
{
    private readonly MessageSession _session;
    private readonly SendLane _lane;
    private readonly LaneClaim _claim;
    private readonly long _number;
    private bool _isOpen;

    internal MessageClaim(MessageSession session, SendLane lane, scoped in LaneClaim claim)
    {
        _session = session;
        _lane = lane;
        _claim = claim;
        _isOpen = true;
        Span = claim.Room.Span;
        _number = session.BeginClaim(claim);
    }

    /// <summary>Where the message is written; as long as it was claimed, with undefined content at first.</summary>
    public readonly Span<byte> Span { get; }

    /// <summary>Sends the message.</summary>
    /// <param name="receipt">The message's receipt, if accepted.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; <see cref="SendStatus.Closed"/>: the connection ended meanwhile, or
    /// <see cref="SendStatus.NotOpen"/> if the peer is pinned and is dialled again; for a claim
    /// of more than a quarter of the ring also <see cref="SendStatus.LaneFull"/> and
    /// <see cref="SendStatus.NoCredit"/>. Whichever it is, the claim is over.
    /// </returns>
    /// <exception cref="InvalidOperationException">The claim is over already.</exception>
    public SendStatus Commit(out SendReceipt receipt)
    {
        if (!_isOpen || !_session.TryEndClaim(_number))
        {
            throw new InvalidOperationException("A claim is committed or abandoned once.");
        }

        _isOpen = false;

        if (_session.RefusesAll)
        {
            _lane.Abandon(_claim);
            receipt = default;
            return _session.Conclude(SendStatus.Closed, _lane);
        }

        SendStatus status = _lane.Commit(_claim, out MessageId id);
        receipt = MessageSession.FirstReceipt(id with { Incarnation = _session.Incarnation });
        return _session.Conclude(status, _lane, Span.Length);
    }

    /// <summary>As <see cref="Commit(out SendReceipt)"/>.</summary>
    public SendStatus Commit() => Commit(out _);

    /// <summary>Gives the room back; the peer never sees the message. Without effect on a claim that is over.</summary>
    public void Abandon()
    {
        if (_isOpen)
        {
            _isOpen = false;

            if (_session.TryEndClaim(_number))
            {
                _lane.Abandon(_claim);
                _ = _session.Conclude(SendStatus.Accepted);
            }
        }
    }
}

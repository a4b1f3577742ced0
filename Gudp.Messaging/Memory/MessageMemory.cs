using System;
using System.Collections.Generic;
using System.Numerics;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging.Memory;

/// <summary>
/// Lends blocks of bytes to one peer, within the peer's budget and within that of its endpoint.
/// </summary>
/// <remarks>
/// Any thread. The blocks come from the endpoint's shelf; the budgets are what bounds those lent. Always true: used bytes
/// are the sum of the blocks lent and not returned, and never above the limit; each direction leaves the other its part,
/// so that neither sending nor receiving can stop the other for ever (R19).
/// </remarks>
internal sealed class MessageMemory
{
    // Each block counts that much, so that the budget bounds their number too.
    private const int LeastBlockBytes = BlockShelf.LeastBytes;

    // What an endpoint keeps for later, and never more than this part of what it may lend.
    private const long MostKeptBytes = 64 * 1024 * 1024;
    private const int KeptPart = 4;

    // At least this part is lent for sending only: rings for what is received stay as long as the connection.
    private const int ToSendPart = 4;

    // So many objects of shared blocks are kept for later, empty.
    private const int MostFreeShared = 1024;

    private readonly MessageMemory? _endpoint;
    private readonly long _limitBytes;
    private readonly long _sendLimitBytes;
    private readonly long _receiveLimitBytes;
    private readonly long _toBeginBytes;
    private readonly long _toShareBytes;
    private readonly long _toLargeBytes;
    private readonly BlockShelf _shelf;
    private readonly Stack<SharedBlock> _freeShared = new();
    private long _usedBytes;
    private long _sendBytes;
    private long _blocks;
    private long _mostUsedBytes;
    private long _mostBlocks;
    private long _refused;

    /// <summary>An endpoint's whole memory, or with <paramref name="endpoint"/> one peer's part of it.</summary>
    /// <param name="limitBytes">The most that is lent.</param>
    /// <param name="endpoint">The endpoint's.</param>
    /// <param name="toReceiveBytes">
    /// So much of it is not lent for sending: two ends full of what they send to each other could never receive (R19).
    /// </param>
    /// <param name="toBeginBytes">
    /// So much of each direction's part is not lent for rings to grow, which keep what they get: lanes not used yet need
    /// rings too. Never more than three quarters of the part.
    /// </param>
    /// <param name="firstRingsBytes">
    /// So much of it no message above a ring's first size takes to be sent. Never more than a quarter of the part.
    /// </param>
    internal MessageMemory(
        long limitBytes, MessageMemory? endpoint = null, long toReceiveBytes = 0, long toBeginBytes = 0,
        long firstRingsBytes = 0)
    {
        _limitBytes = limitBytes;
        _endpoint = endpoint;
        _sendLimitBytes = limitBytes - toReceiveBytes;
        _receiveLimitBytes = toReceiveBytes == 0 ? limitBytes : limitBytes - (limitBytes / ToSendPart);
        _toBeginBytes = toBeginBytes;
        _toShareBytes = Math.Max(_sendLimitBytes / 2, _sendLimitBytes - toBeginBytes);
        _toLargeBytes = _sendLimitBytes - Math.Min(_sendLimitBytes / 4, firstRingsBytes);
        _shelf = endpoint?._shelf ?? new BlockShelf(Math.Min(MostKeptBytes, limitBytes / KeptPart));
    }

    internal long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <summary>Blocks lent and not returned.</summary>
    internal long Blocks => Volatile.Read(ref _blocks);

    /// <summary>Any thread. How full it is, was at most, and how often it refused; blocks are its items.</summary>
    internal QueueCounters ReadCounters() => new(
        "memory",
        _limitBytes,
        _limitBytes / LeastBlockBytes,
        UsedBytes,
        Blocks,
        Volatile.Read(ref _mostUsedBytes),
        Volatile.Read(ref _mostBlocks),
        Volatile.Read(ref _refused));

    /// <summary>
    /// Lends a block of at least <paramref name="bytes"/> for what is sent; the borrower returns it once, by
    /// <see cref="ReturnSent"/>.
    /// </summary>
    /// <returns>Accepted, <see cref="SendStatus.PeerFull"/> or <see cref="SendStatus.DaemonFull"/>.</returns>
    internal SendStatus TryRentToSend(int bytes, out byte[] block) => TryRent(bytes, isSent: true, out block);

    /// <summary>
    /// As <see cref="TryRentToSend"/>, for what is received; returned by <see cref="ReturnReceived"/>.
    /// </summary>
    internal SendStatus TryRentToReceive(int bytes, out byte[] block) => TryRent(bytes, isSent: false, out block);

    /// <summary>As the two above, for a ring that could do without. A refusal stops nobody and is not counted.</summary>
    internal bool TryRentToGrow(int bytes, bool isSent, out byte[] block)
    {
        block = [];
        return CanGrow(bytes, isSent) && _endpoint?.CanGrow(bytes, isSent) != false
            && TryRent(bytes, isSent, out block) == SendStatus.Accepted;
    }

    /// <summary>
    /// Whether a lane may hold so much to be sent: as much as a ring starts with, or no more than it leaves to the other
    /// lanes beside what lets each begin (D-3.7). A glance.
    /// </summary>
    /// <param name="held">All of it.</param>
    /// <param name="toCome">What of it is not lent yet.</param>
    internal bool MayHold(long held, long toCome)
        => held <= LaneRing.FirstBytes || held <= _toShareBytes - Volatile.Read(ref _sendBytes) - toCome;

    /// <summary>
    /// As <see cref="TryRentToGrow"/>, several blocks of one size: all of them or none. Returned by
    /// <see cref="Return(ReadOnlySpan{byte[]}, bool)"/>, or one by one.
    /// </summary>
    internal bool TryRentSpare(int bytes, bool isSent, Span<byte[]> blocks)
    {
        int all = blocks.Length * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, LeastBlockBytes));

        if (!CanGrow(all, isSent) || _endpoint?.CanGrow(all, isSent) == false || !TryCharge(all, isSent, blocks.Length))
        {
            return false;
        }

        if (_endpoint is not null && !_endpoint.TryCharge(all, isSent, blocks.Length))
        {
            Discharge(all, isSent, blocks.Length);
            return false;
        }

        _shelf.Take(bytes, blocks);
        Invariant.Require(blocks.Length * blocks[^1].Length == all, "Small blocks have the sizes that were charged.");
        return true;
    }

    // A glance is enough: what others take meanwhile, they could have taken right afterwards.
    private bool CanGrow(int bytes, bool isSent)
    {
        long used = UsedBytes;
        long sent = Volatile.Read(ref _sendBytes);

        return used + bytes <= ToGrow(_limitBytes, 2 * _toBeginBytes)
            && (isSent
                ? sent + bytes <= ToGrow(_sendLimitBytes, _toBeginBytes)
                : used - sent + bytes <= ToGrow(_receiveLimitBytes, _toBeginBytes));
    }

    private static long ToGrow(long part, long toBegin) => Math.Max(part / 4, part - toBegin);

    /// <summary>As <see cref="TryRentToSend"/> or <see cref="TryRentToReceive"/>.</summary>
    internal SendStatus TryRent(int bytes, bool isSent, out byte[] block)
    {
        block = _shelf.Take(bytes);

        if (!TryCharge(block.Length, isSent))
        {
            _shelf.Put(block);
            block = [];
            return SendStatus.PeerFull;
        }

        if (_endpoint is not null && !_endpoint.TryCharge(block.Length, isSent))
        {
            Discharge(block.Length, isSent);
            Interlocked.Increment(ref _refused);
            _shelf.Put(block);
            block = [];
            return SendStatus.DaemonFull;
        }

        return SendStatus.Accepted;
    }

    internal void ReturnSent(byte[] block) => Return(block, isSent: true);

    internal void ReturnReceived(byte[] block) => Return(block, isSent: false);

    /// <summary>Lends a payload that may get several owners; charged to the endpoint, whoever asks.</summary>
    /// <param name="length">Bytes of the payload.</param>
    /// <param name="block">The caller owns it once; null unless accepted.</param>
    /// <returns>Accepted or <see cref="SendStatus.DaemonFull"/>.</returns>
    internal SendStatus TryRentShared(int length, out SharedBlock? block)
    {
        if (_endpoint is not null)
        {
            return _endpoint.TryRentShared(length, out block);
        }

        block = null;
        byte[] bytes = _shelf.Take(length);

        if (!TryCharge(bytes.Length, isSent: true))
        {
            _shelf.Put(bytes);
            return SendStatus.DaemonFull;
        }

        lock (_freeShared)
        {
            _ = _freeShared.TryPop(out block);
        }

        block ??= new SharedBlock(this);
        block.Begin(bytes, length);
        return SendStatus.Accepted;
    }

    /// <summary>A share of the block for one of this peer's lanes: charged to the peer, not to the endpoint again.</summary>
    /// <returns>Accepted, and to be given back by <see cref="ReleaseShare"/>; or PeerFull.</returns>
    internal SendStatus TryShare(SharedBlock block)
    {
        Invariant.Require(_endpoint is not null, "Shares are charged to peers.");

        if (!TryCharge(block.Bytes.Length, isSent: true))
        {
            return SendStatus.PeerFull;
        }

        block.Share();
        return SendStatus.Accepted;
    }

    /// <summary>A lane of this peer is done with its share.</summary>
    internal void ReleaseShare(SharedBlock block)
    {
        Discharge(block.Bytes.Length, isSent: true);
        block.Release();
    }

    /// <summary>A shared block lost its last owner.</summary>
    internal void ReturnShared(SharedBlock block, byte[] bytes)
    {
        Discharge(bytes.Length, isSent: true);
        _shelf.Put(bytes);

        lock (_freeShared)
        {
            if (_freeShared.Count < MostFreeShared)
            {
                _freeShared.Push(block);
            }
        }
    }

    /// <summary>As <see cref="ReturnSent"/> or <see cref="ReturnReceived"/>.</summary>
    internal void Return(byte[] block, bool isSent)
    {
        _endpoint?.Discharge(block.Length, isSent);
        Discharge(block.Length, isSent);
        _shelf.Put(block);
    }

    /// <summary>As above, of several blocks of one size; at least one.</summary>
    internal void Return(ReadOnlySpan<byte[]> blocks, bool isSent)
    {
        int all = blocks.Length * blocks[0].Length;
        _endpoint?.Discharge(all, isSent, blocks.Length);
        Discharge(all, isSent, blocks.Length);
        _shelf.Put(blocks);
    }

    private bool TryCharge(int bytes, bool isSent, int blocks = 1)
    {
        long used = Interlocked.Add(ref _usedBytes, bytes);
        long sent = isSent ? Interlocked.Add(ref _sendBytes, bytes) : Volatile.Read(ref _sendBytes);

        long sendLimit = bytes > LaneRing.FirstBytes ? _toLargeBytes : _sendLimitBytes;

        if (used > _limitBytes || (isSent ? sent > sendLimit : used - sent > _receiveLimitBytes))
        {
            Uncharge(bytes, isSent);
            Interlocked.Increment(ref _refused);
            return false;
        }

        NoteMost(ref _mostUsedBytes, used);
        NoteMost(ref _mostBlocks, Interlocked.Add(ref _blocks, blocks));
        return true;
    }

    private void Discharge(int bytes, bool isSent, int blocks = 1)
    {
        Interlocked.Add(ref _blocks, -blocks);
        Uncharge(bytes, isSent);
    }

    private void Uncharge(int bytes, bool isSent)
    {
        if (isSent)
        {
            Invariant.Require(
                Interlocked.Add(ref _sendBytes, -bytes) >= 0, "What is returned as sent was lent to be sent.");
        }

        Invariant.Require(
            Interlocked.Add(ref _usedBytes, -bytes) >= 0, "No more bytes are returned than were lent.");
    }

    private static void NoteMost(ref long most, long now)
    {
        for (long seen = Volatile.Read(ref most); now > seen;)
        {
            long before = Interlocked.CompareExchange(ref most, now, seen);

            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}

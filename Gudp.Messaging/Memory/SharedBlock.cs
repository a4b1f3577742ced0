// One payload with several owners: a message to many peers lies once in memory, however many lanes carry it.
//
// Who rents it owns it once. Everyone who keeps it beyond a call takes a share of its own and gives it back exactly
// once; with the last share the bytes go back to the endpoint and the object to its list of free ones.
//
// Always true:
//   - shares are the owners: at least one while anybody holds it, and none once it was returned;
//   - only the first owner writes, and only before anybody else has a share;
//   - the endpoint's memory is charged once, a peer's once for each of its lanes that holds it.

using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Memory;

/// <summary>A rented array with a length and a count of owners, charged to the endpoint's memory.</summary>
/// <remarks>
/// Any thread, each with a share of its own. Made by <see cref="MessageMemory.TryRentShared"/>; the object is used
/// again, so a share that was given back must not be touched any more.
/// </remarks>
internal sealed class SharedBlock
{
    private readonly MessageMemory _endpoint;
    private int _owners;

    internal SharedBlock(MessageMemory endpoint) => _endpoint = endpoint;

    /// <summary>The array; at least <see cref="Length"/> bytes, the rest is undefined.</summary>
    internal byte[] Bytes { get; private set; } = [];

    /// <summary>Bytes of the payload. The first owner may shorten it before it shares.</summary>
    internal int Length { get; private set; }

    /// <summary>How many hold it. A glance.</summary>
    internal int Owners => Volatile.Read(ref _owners);

    /// <summary>The payload. The first owner may write to it before it shares.</summary>
    internal Span<byte> Span => Bytes.AsSpan(0, Length);

    /// <summary>One more owner; the caller has a share already.</summary>
    internal void Share()
        => Invariant.Require(Interlocked.Increment(ref _owners) > 1, "Only what has an owner is shared.");

    /// <summary>One owner less; with the last the memory goes back.</summary>
    internal void Release()
    {
        int left = Interlocked.Decrement(ref _owners);
        Invariant.Require(left >= 0, "Each share is given back once.");

        if (left == 0)
        {
            byte[] bytes = Bytes;
            Bytes = [];
            Length = 0;
            _endpoint.ReturnShared(this, bytes);
        }
    }

    /// <summary>The one owner sets how much of the array is payload.</summary>
    internal void SetLength(int length)
    {
        Invariant.Require(Owners == 1, "What is shared does not change.");
        Invariant.Require((uint)length <= (uint)Bytes.Length, "The payload lies within the array.");
        Length = length;
    }

    /// <summary>The memory lends it anew.</summary>
    internal void Begin(byte[] bytes, int length)
    {
        Invariant.Require(Owners == 0, "Only a block without owners is lent.");
        Bytes = bytes;
        Length = length;
        Volatile.Write(ref _owners, 1);
    }
}

using System;
using Gudp.Core;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class BlockStashTests
{
    private const long Plenty = 1024 * 1024;

    [Test]
    public void What_will_be_wanted_soon_is_lent_at_once_and_charged()
    {
        MessageMemory memory = new(Plenty);
        BlockStash stash = new(memory, isSent: true);

        SendStatus status = stash.TryTake(32, spare: 7, out byte[] block);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(block, Has.Length.EqualTo(64));
        Assert.That(stash.Count, Is.EqualTo(7));
        Assert.That(memory.Blocks, Is.EqualTo(8));
        Assert.That(memory.UsedBytes, Is.EqualTo(8 * 64));
    }

    [Test]
    public void Spare_blocks_are_used_before_more_are_lent()
    {
        MessageMemory memory = new(Plenty);
        BlockStash stash = new(memory, isSent: true);
        stash.TryTake(32, spare: 7, out _);

        for (int i = 0; i < 7; i++)
        {
            stash.TryTake(32, spare: 7, out _);
        }

        Assert.That(stash.Count, Is.Zero);
        Assert.That(memory.Blocks, Is.EqualTo(8));
    }

    [Test]
    public void What_only_would_be_spare_is_not_lent_when_memory_is_short()
    {
        MessageMemory memory = new(4 * 64, toBeginBytes: 64);
        BlockStash stash = new(memory, isSent: true);

        SendStatus first = stash.TryTake(32, spare: 15, out _);
        SendStatus second = stash.TryTake(32, spare: 15, out _);

        Assert.That(first, Is.EqualTo(SendStatus.Accepted));
        Assert.That(second, Is.EqualTo(SendStatus.Accepted));
        Assert.That(stash.Count, Is.Zero);
        Assert.That(memory.Blocks, Is.EqualTo(2));
        Assert.That(memory.ReadCounters().Refused, Is.Zero);
    }

    [Test]
    public void Each_of_two_budgets_is_charged_for_all_and_discharged_of_all()
    {
        MessageMemory endpoint = new(Plenty);
        MessageMemory peer = new(Plenty, endpoint);
        BlockStash stash = new(peer, isSent: false);
        stash.TryTake(500, spare: 3, out byte[] block);
        long lent = endpoint.UsedBytes;

        stash.Put(block);
        stash.Clear();

        Assert.That(lent, Is.EqualTo(4 * 512));
        Assert.That(endpoint.Blocks + endpoint.UsedBytes, Is.Zero);
        Assert.That(peer.Blocks + peer.UsedBytes, Is.Zero);
    }

    [Test]
    public void No_more_of_a_size_stay_than_the_most()
    {
        MessageMemory memory = new(Plenty);
        BlockStash stash = new(memory, isSent: true);
        byte[][] blocks = new byte[BlockStash.MostPerSize + 1][];

        for (int i = 0; i < blocks.Length; i++)
        {
            memory.TryRentToSend(32, out blocks[i]);
        }

        Array.ForEach(blocks, stash.Put);

        Assert.That(stash.Count, Is.LessThanOrEqualTo(BlockStash.MostPerSize));
        Assert.That(memory.Blocks, Is.EqualTo(stash.Count));
    }

    [Test]
    public void A_large_block_goes_back_by_itself()
    {
        MessageMemory memory = new(Plenty);
        BlockStash stash = new(memory, isSent: true);
        stash.TryTake(BlockStash.LargestBytes + 1, spare: 7, out byte[] block);
        long lent = memory.Blocks;

        stash.Put(block);

        Assert.That(lent, Is.EqualTo(1));
        Assert.That(stash.Count, Is.Zero);
        Assert.That(memory.Blocks, Is.Zero);
    }
}

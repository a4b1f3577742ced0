using Gudp.Core;
using Gudp.Core.Buffers;
using Gudp.Core.Packets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Where the bytes of waiting packets lie (P-8.2).</summary>
[TestFixture]
public sealed class PacketArenaTests
{
    private const int LeastLimit = 64 * 1024;

    [Test]
    public void Packets_come_and_go_in_any_order_and_keep_their_bytes()
    {
        PacketArena arena = new(LeastLimit * 3, budget: null);
        Prng draws = new(1);
        List<(PacketPlace Place, int Length, ulong Seed)> held = [];
        int refused = 0;

        for (ulong i = 0; i < 20_000; i++)
        {
            int length = (int)draws.NextBelow(draws.NextChance(50_000) ? 20_000 : 1_500);

            if (arena.TryTake(length, out PacketPlace place) == SendStatus.Accepted)
            {
                new Prng(i).FillInto(arena.SpanOf(place, length));
                held.Add((place, length, i));
            }
            else
            {
                refused++;
            }

            while (held.Count > 0 && draws.NextChance(refused % 3 == 0 ? 490_000 : 520_000))
            {
                int index = (int)draws.NextBelow(held.Count);
                AssertHolds(arena, held[index]);
                arena.Return(held[index].Place, held[index].Length);
                held.RemoveAt(index);
            }
        }

        held.ForEach(packet => AssertHolds(arena, packet));
        Assert.That(refused, Is.Positive, "The limit was never reached.");
        Assert.That(arena.HeldBytes, Is.LessThanOrEqualTo(LeastLimit * 3));
    }

    [Test]
    public void The_largest_packet_finds_room_in_the_least_arena_once_the_small_ones_have_gone()
    {
        PacketArena arena = new(LeastLimit, budget: null);
        arena.TryTake(100, out PacketPlace small);

        SendStatus beside = arena.TryTake(65_400, out _);
        arena.Return(small, 100);
        SendStatus alone = arena.TryTake(65_400, out _);

        Assert.That((beside, alone), Is.EqualTo((SendStatus.PeerFull, SendStatus.Accepted)));
    }

    [Test]
    public void An_arena_grows_out_of_the_budget_and_gives_all_back()
    {
        MemoryBudget budget = new(LeastLimit * 4);
        PacketArena arena = new(LeastLimit * 16, budget);
        int taken = 0;

        while (arena.TryTake(1_000, out _) == SendStatus.Accepted)
        {
            taken++;
        }

        SendStatus refused = arena.TryTake(1_000, out _);
        long held = budget.InUseBytes;
        arena.Clear();

        Assert.That(refused, Is.EqualTo(SendStatus.DaemonFull));
        Assert.That(taken * 1_024, Is.InRange((int)held * 9 / 10, (int)held), "Only the segments' ends are left over.");
        Assert.That(budget.InUseBytes, Is.Zero);
    }

    private static void AssertHolds(PacketArena arena, (PacketPlace Place, int Length, ulong Seed) packet)
    {
        byte[] expected = new byte[packet.Length];
        new Prng(packet.Seed).FillInto(expected);

        if (!arena.SpanOf(packet.Place, packet.Length).SequenceEqual(expected))
        {
            Assert.Fail($"Packet {packet.Seed} was overwritten.");
        }
    }
}

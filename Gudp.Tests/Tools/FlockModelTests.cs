using System.Diagnostics;
using Gudp.Tools.Demo;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class FlockModelTests
{
    private const int Agents = 400;

    [TestCase(1, 1UL)]
    [TestCase(2, 2UL)]
    [TestCase(3, 3UL)]
    [TestCase(4, 4UL)]
    [TestCase(7, 5UL)]
    public void Members_that_share_the_work_see_the_same_bits_as_one_that_does_it_all(int members, ulong seed)
    {
        FlockModel alone = new(Agents, seed);
        FlockModel[] together = [.. Enumerable.Range(0, members).Select(_ => new FlockModel(Agents, seed))];

        for (int step = 0; step < 50; step++)
        {
            alone.Step(..);
            StepTogether(together);

            Assert.That(together.Select(member => member.Checksum()), Is.All.EqualTo(alone.Checksum()), $"step {step}");
        }
    }

    [Test]
    public void After_300_steps_every_agent_is_in_the_world_and_within_its_speed()
    {
        FlockModel flock = new(Agents, seed: 1);

        for (int step = 0; step < 300; step++)
        {
            flock.Step(..);
        }

        foreach (FlockAgent agent in flock.Agents)
        {
            Assert.That(agent.X, Is.InRange(0, FlockModel.WorldSide - 1));
            Assert.That(agent.Y, Is.InRange(0, FlockModel.WorldSide - 1));
            Assert.That(Math.Abs(agent.VelocityX), Is.AtMost(FlockModel.MaxSpeed));
            Assert.That(Math.Abs(agent.VelocityY), Is.AtMost(FlockModel.MaxSpeed));
        }
    }

    [Test]
    public void A_flock_flies_more_alike_after_300_steps_than_at_the_start()
    {
        FlockModel flock = new(Agents, seed: 1);
        double before = Alikeness(flock);

        for (int step = 0; step < 300; step++)
        {
            flock.Step(..);
        }

        Assert.That(Alikeness(flock), Is.GreaterThan(Math.Max(0.5, before)));
    }

    // The number is part of the product: another one means that members of two versions would not agree.
    [Test]
    public void The_checksum_after_100_steps_is_the_known_one()
    {
        FlockModel flock = new(Agents, seed: 1);

        for (int step = 0; step < 100; step++)
        {
            flock.Step(..);
        }

        Assert.That(flock.Checksum(), Is.EqualTo(11208188019189443685UL));
    }

    [Test]
    public void Two_seeds_give_two_flocks()
        => Assert.That(new FlockModel(Agents, 1).Checksum(), Is.Not.EqualTo(new FlockModel(Agents, 2).Checksum()));

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(400)]
    [TestCase(401)]
    public void The_shares_cover_every_agent_once(int members)
    {
        FlockModel flock = new(Agents, 1);

        int[] covered = [.. Enumerable.Range(0, members)
            .SelectMany(member => Enumerable.Range(0, Agents).ToArray()[flock.ShareOf(member, members)])];

        Assert.That(covered, Is.EqualTo(Enumerable.Range(0, Agents)));
    }

    [Test]
    public void A_step_waits_for_the_shares_of_all_members()
    {
        FlockModel flock = new(Agents, 1);
        flock.Step(flock.ShareOf(0, 4));

        Assert.That(flock.IsComplete, Is.False);
        Assert.That(() => flock.Step(flock.ShareOf(0, 4)), Throws.InvalidOperationException);
        Assert.That(() => flock.Checksum(), Throws.InvalidOperationException);
    }

    [TestCase(0, TestName = "A share of nothing is refused")]
    [TestCase(7, TestName = "A share shorter than its header is refused")]
    [TestCase(-1, TestName = "A share cut by one byte is refused")]
    public void A_damaged_share_is_refused(int length)
    {
        FlockModel flock = new(Agents, 1);
        byte[] share = ShareOf(flock, 0, 4);

        Assert.That(
            () => flock.ReadShare(share.AsSpan(0, length < 0 ? share.Length + length : length)),
            Throws.InstanceOf<InvalidDataException>());
    }

    [TestCase(3, 1, TestName = "A share of another step is refused")]
    [TestCase(4, 0xFF, TestName = "A share beyond the last agent is refused")]
    [TestCase(8, 0x40, TestName = "An agent outside the world is refused")]
    [TestCase(16, 0x80, TestName = "An agent that is too fast is refused")]
    public void A_changed_share_is_refused(int offset, byte value)
    {
        FlockModel flock = new(Agents, 1);
        ulong before = flock.Checksum();
        byte[] share = ShareOf(flock, 0, 4);
        share[offset] = value;

        Assert.That(() => flock.ReadShare(share), Throws.InstanceOf<InvalidDataException>());
        Assert.That(flock.Checksum(), Is.EqualTo(before));
    }

    [Test]
    public void A_quarter_of_400_agents_fits_in_3300_bytes()
    {
        FlockModel flock = new(Agents, 1);

        Assert.That(ShareOf(flock, 1, 4), Has.Length.LessThan(3_300));
    }

    // Goal: who is left moves the share of one that is gone, and nobody could tell.
    [Test]
    public void A_share_that_others_move_along_is_where_its_owner_would_have_moved_it()
    {
        const int members = 3;
        FlockModel[] all = [.. Enumerable.Range(0, members).Select(_ => new FlockModel(Agents, 1))];
        FlockModel[] left = [.. Enumerable.Range(0, members - 1).Select(_ => new FlockModel(Agents, 1))];

        for (int step = 0; step < 20; step++)
        {
            StepTogether(all);

            for (int member = 0; member < left.Length; member++)
            {
                left[member].Step(left[member].ShareOf(member, members));
            }

            // One is told before it reads the others' shares, one after.
            left[0].MoveAlong(left[0].ShareOf(members - 1, members));
            left[0].ReadShare(ShareOf(left[1], 1, members));
            left[1].ReadShare(ShareOf(left[0], 0, members));
            left[1].MoveAlong(left[1].ShareOf(members - 1, members));
        }

        Assert.That(left.Select(flock => flock.Checksum()), Has.All.EqualTo(all[0].Checksum()));
    }

    [Test]
    public void A_flock_that_was_saved_flies_on_from_there()
    {
        FlockModel flock = new(Agents, 1);
        flock.Step(..);
        byte[] saved = new byte[flock.ShareBytes(..)];
        flock.WriteShare(.., saved);
        flock.Step(..);

        FlockModel other = FlockModel.Restore(Agents, saved);
        other.Step(..);

        Assert.That((other.StepNumber, other.Checksum()), Is.EqualTo((flock.StepNumber, flock.Checksum())));
    }

    [Test]
    public void Half_a_flock_is_not_restored()
    {
        FlockModel flock = new(Agents, 1);
        flock.Step(..);

        Assert.Throws<InvalidDataException>(() => FlockModel.Restore(Agents, ShareOf(flock, 0, 2)));
        Assert.Throws<InvalidDataException>(() => FlockModel.Restore(Agents, []));
    }

    // The floor is generous because a busy machine must not fail it; the usual time is a tenth of it.
    [Test, Category("Release")]
    public void A_step_of_400_agents_takes_less_than_a_millisecond()
    {
        FlockModel flock = new(Agents, 1);
        TimeSpan shortest = TimeSpan.MaxValue;

        for (int step = 0; step < 300; step++)
        {
            long start = Stopwatch.GetTimestamp();
            flock.Step(..);
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            shortest = taken < shortest ? taken : shortest;
        }

        TestContext.Out.WriteLine($"shortest step: {shortest.TotalMicroseconds:F0} us");
        Assert.That(shortest, Is.LessThan(TimeSpan.FromMilliseconds(1)));
    }

    private static void StepTogether(FlockModel[] members)
    {
        for (int member = 0; member < members.Length; member++)
        {
            members[member].Step(members[member].ShareOf(member, members.Length));
        }

        // Delivered to each in another order, which must not matter.
        for (int reader = 0; reader < members.Length; reader++)
        {
            for (int distance = 1; distance < members.Length; distance++)
            {
                int writer = (reader + distance) % members.Length;
                members[reader].ReadShare(ShareOf(members[writer], writer, members.Length));
            }
        }
    }

    private static byte[] ShareOf(FlockModel flock, int member, int members)
    {
        Range share = flock.ShareOf(member, members);
        byte[] bytes = new byte[flock.ShareBytes(share)];

        Assert.That(flock.WriteShare(share, bytes), Is.EqualTo(bytes.Length));
        return bytes;
    }

    // 1 when all fly the same way at the same speed, near 0 when all fly at random.
    private static double Alikeness(FlockModel flock)
    {
        double sumX = 0;
        double sumY = 0;
        double speeds = 0;

        foreach (FlockAgent agent in flock.Agents)
        {
            sumX += agent.VelocityX;
            sumY += agent.VelocityY;
            speeds += double.Hypot(agent.VelocityX, agent.VelocityY);
        }

        return double.Hypot(sumX, sumY) / speeds;
    }
}

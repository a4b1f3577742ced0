using Gudp.Core.Loop;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class CommandQueueTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(10);

    [Test]
    public void Commands_come_out_in_the_order_of_posting()
    {
        var queue = new CommandQueue<int>(4);
        queue.TryPost(1);
        queue.TryPost(2);

        bool hasBoth = queue.TryRead(out int first) & queue.TryRead(out int second);

        Assert.That(hasBoth, Is.True);
        Assert.That((first, second), Is.EqualTo((1, 2)));
        Assert.That(queue.TryRead(out _), Is.False);
    }

    [Test]
    public void The_last_place_is_used()
    {
        var queue = new CommandQueue<int>(2);

        Assert.That(queue.TryPost(1) && queue.TryPost(2), Is.True);
    }

    [Test]
    public void A_full_queue_refuses_and_drops_nothing()
    {
        var queue = new CommandQueue<int>(2);
        queue.TryPost(1);
        queue.TryPost(2);

        bool isPosted = queue.TryPost(3);

        Assert.That(isPosted, Is.False);
        Assert.That(queue.TryRead(out int first) ? first : 0, Is.EqualTo(1));
    }

    [Test]
    public void It_says_whether_something_waits()
    {
        var queue = new CommandQueue<int>(2);
        bool before = queue.IsEmpty;

        queue.TryPost(1);

        Assert.That(before, Is.True);
        Assert.That(queue.IsEmpty, Is.False);
    }

    [Test]
    public void Commands_of_many_threads_all_arrive_each_threads_in_order()
    {
        const int Posters = 4;
        const int Each = 5_000;
        var queue = new CommandQueue<(int Poster, int Number)>(64);
        var threads = new Thread[Posters];

        for (int i = 0; i < Posters; i++)
        {
            int poster = i;
            threads[i] = new Thread(() => Post(queue, poster, Each)) { IsBackground = true };
            threads[i].Start();
        }

        int[] next = new int[Posters];
        bool isComplete = SpinWait.SpinUntil(
            () =>
            {
                while (queue.TryRead(out (int Poster, int Number) command))
                {
                    Assert.That(command.Number, Is.EqualTo(next[command.Poster]++));
                }

                return next.Sum() == Posters * Each;
            },
            JoinTimeout);

        Assert.That(isComplete, Is.True);
        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True);
    }

    private static void Post(CommandQueue<(int Poster, int Number)> queue, int poster, int count)
    {
        for (int number = 0; number < count; number++)
        {
            while (!queue.TryPost((poster, number)))
            {
                Thread.Yield();
            }
        }
    }
}

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// The pump face: a loop that drives its daemon, polls, sends and claims. The whole stack runs on this one thread in the
/// simulator, so what it allocates is exact.
/// </summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class PumpFaceTests
{
    private const int WarmUp = 20_000;
    private const int Measured = 3_000;

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    [Test]
    public void A_loop_that_polls_all_peers_sends_and_claims_allocates_nothing_once_warm()
    {
        using PeerStar star = new(clients: 3, Plain);
        Peer[] everybody = [.. star.Accepted];
        SendResult[] results = new SendResult[everybody.Length];
        int warm = Play(star, everybody, results, WarmUp);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int answered = Play(star, everybody, results, Measured);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(warm, Is.Positive);
        Assert.That(answered, Is.GreaterThan(Measured));
        Assert.That(allocated, Is.Zero, "Something on the path of a message allocates; profile this test to find it.");
    }

    [Test]
    public void Taking_and_disposing_messages_of_all_peers_allocates_nothing_once_warm()
    {
        using PeerStar star = new(clients: 3, Plain);
        Take(star, WarmUp);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int taken = Take(star, Measured);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(taken, Is.GreaterThan(Measured));
        Assert.That(allocated, Is.Zero, "Something on the path of a message allocates; profile this test to find it.");
    }

    private static int Play(PeerStar star, Peer[] everybody, SendResult[] results, int frames)
    {
        Answerer answerer = default;
        Answerer nobody = default;
        Span<ReceiptUpdate> updates = stackalloc ReceiptUpdate[16];
        Span<byte> state = stackalloc byte[200];
        SendOptions told = new() { NotifyTaken = true };

        for (int frame = 0; frame < frames; frame++)
        {
            foreach (Peer client in star.Clients)
            {
                if (client.TryClaim(40, told, out MessageClaim claim) == SendStatus.Accepted)
                {
                    claim.Span.Fill((byte)frame);
                    claim.Commit();
                }

                client.TrySend(state[..10]);
            }

            star.World.Step(star.World.Now + TimeSpan.FromMilliseconds(1));
            star.Hub.Poll(ref answerer, budget: 100);
            star.Hub.TrySend(everybody, state, new SendOptions { Lane = 3 }, results);
            star.World.Step(star.World.Now + TimeSpan.FromMilliseconds(1));

            foreach (Peer client in star.Clients)
            {
                client.Poll(ref nobody, budget: 100);

                while (client.TakeUpdates(updates) > 0)
                {
                }
            }
        }

        return answerer.Count;
    }

    private static int Take(PeerStar star, int frames)
    {
        Span<byte> state = stackalloc byte[200];
        int taken = 0;

        for (int frame = 0; frame < frames; frame++)
        {
            foreach (Peer client in star.Clients)
            {
                client.TrySend(state);
            }

            star.World.Step(star.World.Now + TimeSpan.FromMilliseconds(1));
            taken += star.TakeAllAtHub();
        }

        return taken;
    }

    // Answers what asks for it: requests are 40 bytes long.
    private struct Answerer : IMessageHandler
    {
        internal int Count { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
        {
            Count++;

            if (message.Length == 40)
            {
                from.TrySend(message);
            }
        }
    }
}

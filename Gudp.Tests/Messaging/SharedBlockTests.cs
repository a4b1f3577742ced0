using Gudp.Core;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class SharedBlockTests
{
    [Test]
    public void The_last_owner_returns_the_memory()
    {
        MessageMemory endpoint = new(1 << 20);
        MessageMemory peer = new(1 << 20, endpoint);
        SendStatus rented = peer.TryRentShared(1_000, out SharedBlock? block);
        SendStatus shared = peer.TryShare(block!);

        block!.Release();
        long whileShared = endpoint.Blocks;
        int owners = block.Owners;
        peer.ReleaseShare(block);

        Assert.That(rented, Is.EqualTo(SendStatus.Accepted));
        Assert.That(shared, Is.EqualTo(SendStatus.Accepted));
        Assert.That(whileShared, Is.EqualTo(1));
        Assert.That(owners, Is.EqualTo(1));
        Assert.That(endpoint.Blocks + endpoint.UsedBytes, Is.Zero);
        Assert.That(peer.Blocks + peer.UsedBytes, Is.Zero);
    }

    [Test]
    public void The_endpoint_is_charged_once_and_each_holding_peer_once()
    {
        MessageMemory endpoint = new(1 << 20);
        MessageMemory[] peers = [new(1 << 20, endpoint), new(1 << 20, endpoint), new(1_000, endpoint)];
        endpoint.TryRentShared(4_096, out SharedBlock? block);

        SendStatus[] shared = [.. peers.Select(peer => peer.TryShare(block!))];

        Assert.That(
            shared, Is.EqualTo(new[] { SendStatus.Accepted, SendStatus.Accepted, SendStatus.PeerFull }));
        Assert.That(endpoint.UsedBytes, Is.EqualTo(4_096));
        Assert.That(peers[0].UsedBytes, Is.EqualTo(4_096));
        Assert.That(peers[2].UsedBytes, Is.Zero, "What was refused is not charged.");
        Assert.That(block!.Owners, Is.EqualTo(3));
    }

    [Test]
    public void A_block_beyond_the_endpoints_memory_is_refused()
    {
        MessageMemory endpoint = new(1_000);

        SendStatus status = endpoint.TryRentShared(4_000, out SharedBlock? block);

        Assert.That(status, Is.EqualTo(SendStatus.DaemonFull));
        Assert.That(block, Is.Null);
        Assert.That(endpoint.UsedBytes, Is.Zero);
    }

    [Test]
    public void A_share_given_back_twice_is_a_broken_rule()
    {
        MessageMemory endpoint = new(1 << 20);
        endpoint.TryRentShared(10, out SharedBlock? block);
        block!.Release();

        Assert.That(block.Release, Throws.InstanceOf<Exception>());
    }

    // Goal: rented minus returned equals live owners, with many threads that share and release at once.
    [Test]
    public void Shares_from_many_threads_return_the_memory_exactly_once()
    {
        MessageMemory endpoint = new(1 << 24);
        MessageMemory peer = new(1 << 24, endpoint);
        int mistakes = 0;

        Parallel.For(0, 4, worker =>
        {
            for (int round = 0; round < 2_000; round++)
            {
                endpoint.TryRentShared(64, out SharedBlock? block);
                block!.Span.Fill((byte)worker);

                Parallel.For(0, 2, _ =>
                {
                    peer.TryShare(block);
                    _ = block.Span[63] == (byte)worker ? 0 : Interlocked.Increment(ref mistakes);
                    peer.ReleaseShare(block);
                });

                block.Release();
            }
        });

        Assert.That(mistakes, Is.Zero);
        Assert.That(endpoint.Blocks + endpoint.UsedBytes, Is.Zero);
        Assert.That(peer.Blocks + peer.UsedBytes, Is.Zero);
    }
}

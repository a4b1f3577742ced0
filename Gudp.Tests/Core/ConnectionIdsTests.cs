using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Spare ids of both ends (P-9.9), without packets.</summary>
[TestFixture]
public sealed class ConnectionIdsTests
{
    private const ulong Local = 100;
    private const ulong Peer = 200;

    [Test]
    public void An_offer_is_owed_until_its_packet_is_acknowledged()
    {
        ConnectionIds ids = new(Local, Peer);
        ids.Offer(101);

        ids.TryNextOffer(out ulong sequence, out ulong id);
        ids.OnOfferWritten(sequence, new PacketNumber(5));
        bool owedInFlight = ids.HasOwed;
        ids.OnLost(5);
        bool owedAfterLoss = ids.HasOwed;
        ids.OnOfferWritten(sequence, new PacketNumber(6));
        ids.OnAcked(6);

        Assert.That((sequence, id), Is.EqualTo((1UL, 101UL)));
        Assert.That((owedInFlight, owedAfterLoss, ids.HasOwed), Is.EqualTo((false, true, false)));
    }

    [Test]
    public void A_fresh_id_of_the_peer_replaces_the_present_one_which_is_retired()
    {
        ConnectionIds ids = new(Local, Peer);
        ids.HandleNewId(1, 201);

        bool isChanged = ids.TryUseFresh();
        ids.TryNextRetirement(out ulong retired);

        Assert.That(isChanged, Is.True);
        Assert.That(ids.PresentPeerId, Is.EqualTo(201));
        Assert.That(retired, Is.Zero);
        Assert.That(ids.TryUseFresh(), Is.False, "There is no other.");
    }

    [Test]
    public void A_flood_of_ids_is_refused_at_the_eighth()
    {
        ConnectionIds ids = new(Local, Peer);
        List<ConnectionIds.Verdict> verdicts = [];

        for (ulong i = 1; i <= 8; i++)
        {
            verdicts.Add(ids.HandleNewId(i, 200 + i));
        }

        Assert.That(verdicts.Take(7), Has.All.EqualTo(ConnectionIds.Verdict.Taken));
        Assert.That(verdicts[7], Is.EqualTo(ConnectionIds.Verdict.Broken));
        Assert.That(ids.SpareOfPeer, Is.EqualTo(7));
    }

    [Test]
    public void A_sequence_stands_for_one_id()
    {
        ConnectionIds ids = new(Local, Peer);
        ids.HandleNewId(1, 201);

        Assert.That(ids.HandleNewId(1, 201), Is.EqualTo(ConnectionIds.Verdict.Taken), "A copy says nothing new.");
        Assert.That(ids.HandleNewId(1, 202), Is.EqualTo(ConnectionIds.Verdict.Broken));
        Assert.That(ids.SpareOfPeer, Is.EqualTo(1));
    }

    [Test]
    public void Ids_that_overtake_each_other_all_count_and_a_retired_one_does_not_come_back()
    {
        ConnectionIds ids = new(Local, Peer);
        ids.HandleNewId(2, 202);
        ids.HandleNewId(1, 201);
        int spare = ids.SpareOfPeer;
        ids.TryUseFresh();
        ids.TryUseFresh();

        ids.HandleNewId(2, 202);

        Assert.That(spare, Is.EqualTo(2));
        Assert.That(ids.PresentPeerId, Is.EqualTo(201));
        Assert.That(ids.SpareOfPeer, Is.Zero);
    }

    [Test]
    public void The_peer_retires_ours_but_not_the_one_it_says_so_with_nor_one_it_never_got()
    {
        ConnectionIds ids = new(Local, Peer);
        ids.Offer(101);
        bool early = ids.TryRetireOwn(1, arrivedAt: Local, out _);
        ids.OnOfferWritten(1, new PacketNumber(5));

        bool own = ids.TryRetireOwn(0, arrivedAt: Local, out _);
        bool never = ids.TryRetireOwn(2, arrivedAt: Local, out _);
        bool good = ids.TryRetireOwn(0, arrivedAt: 101, out ulong retired);
        bool again = ids.TryRetireOwn(0, arrivedAt: 101, out ulong none);

        Assert.That(early, Is.False, "It stands in no packet yet.");
        Assert.That((own, never, good, again), Is.EqualTo((false, false, true, true)));
        Assert.That((retired, none), Is.EqualTo((Local, 0UL)));
        Assert.That((ids.IsOwn(Local), ids.IsOwn(101)), Is.EqualTo((false, true)));
    }
}

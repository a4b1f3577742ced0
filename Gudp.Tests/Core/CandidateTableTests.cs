using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>S-10.3</summary>
[TestFixture]
public sealed class CandidateTableTests
{
    private static readonly PeerAddress Home = PeerAddress.LoopbackIPv4(7000);
    private static readonly Instant Start = new(0);

    // Swarm seed 1046: every Finish of the first ten seconds was lost, the client was open and the server knew nothing.
    [Test]
    public void A_finish_that_comes_late_still_finds_its_candidate()
    {
        CandidateTable table = new();
        table.Add(CandidateOf(serverId: 1, Start));

        bool isPromoted = table.TryPromote(serverId: 1, clientId: 101, Home, out Candidate? promoted);

        Assert.That(isPromoted, Is.True);
        Assert.That(promoted!.ServerId, Is.EqualTo(1));
        Assert.That(table.Count, Is.Zero);
    }

    [Test]
    public void One_that_has_not_asked_for_long_gives_way_when_room_is_needed_and_not_before()
    {
        CandidateTable table = new();
        table.Add(CandidateOf(serverId: 1, Start));
        Instant later = Start + CandidateTable.Lifetime;
        bool hadRoomBefore = table.HasRoomFor(Home, later);
        bool stoodBefore = table.Contains(1);
        Fill(table, CandidateTable.Capacity - 1, later);

        bool hasRoom = table.HasRoomFor(Home, later);

        Assert.That(hadRoomBefore && stoodBefore, Is.True);
        Assert.That(hasRoom, Is.True);
        Assert.That(table.Contains(1), Is.False);
    }

    [Test]
    public void One_that_asks_again_goes_to_the_end_of_the_line()
    {
        CandidateTable table = new();
        table.Add(CandidateOf(serverId: 1, Start));
        table.Add(CandidateOf(serverId: 2, Start));
        Instant later = Start + CandidateTable.Lifetime;
        bool isKnown = table.TryRefresh(Home, clientId: 101, later, out Candidate? again);
        Fill(table, CandidateTable.Capacity - 2, later);

        bool hasRoom = table.HasRoomFor(Home, later);

        Assert.That(isKnown, Is.True);
        Assert.That(again!.ServerId, Is.EqualTo(1));
        Assert.That(hasRoom, Is.True);
        Assert.That(table.Contains(1), Is.True);
        Assert.That(table.Contains(2), Is.False);
    }

    // G37: one host may open a thousand at once, but never keep others out.
    [Test]
    public void One_host_gets_half_of_the_table_and_others_find_room_beside_it()
    {
        CandidateTable table = new();
        PeerAddress crowd = PeerAddress.FromIPv4(0x0A00_0001, 1);
        int ofCrowd = 0;

        while (table.HasRoomFor(crowd, Start))
        {
            table.Add(CandidateOf((ulong)++ofCrowd, Start, crowd));
        }

        bool hasRoomForAnother = table.HasRoomFor(Home, Start);
        Fill(table, CandidateTable.Capacity - table.Count, Start);

        Assert.That(ofCrowd, Is.EqualTo(CandidateTable.Capacity / 2));
        Assert.That(hasRoomForAnother, Is.True);
        Assert.That(table.HasRoomFor(Home, Start), Is.False);
    }

    [Test]
    public void Promoting_a_peer_removes_its_older_candidates_and_no_others()
    {
        CandidateTable table = new();
        table.Add(CandidateOf(serverId: 1, Start));
        table.Add(CandidateOf(serverId: 2, Start + TimeSpan.FromSeconds(1)));
        table.Add(CandidateOf(serverId: 3, Start + TimeSpan.FromSeconds(2)));
        table.Add(CandidateOf(serverId: 4, Start, Home.WithPort(7001)));

        table.TryPromote(serverId: 2, clientId: 102, Home, out _);
        bool isOlderPromoted = table.TryPromote(serverId: 1, clientId: 101, Home, out _);

        Assert.That(isOlderPromoted, Is.False, "A late copy of an older Finish would retire the newer connection.");
        Assert.That(table.Contains(3), Is.True);
        Assert.That(table.Contains(4), Is.True);
    }

    [TestCase(2ul, 101ul, 7000)]
    [TestCase(1ul, 102ul, 7000)]
    [TestCase(1ul, 101ul, 7001)]
    public void A_finish_of_another_id_or_address_promotes_nobody(ulong serverId, ulong clientId, int port)
    {
        CandidateTable table = new();
        table.Add(CandidateOf(serverId: 1, Start));

        Assert.That(table.TryPromote(serverId, clientId, Home.WithPort(port), out _), Is.False);
        Assert.That(table.Contains(1), Is.True);
    }

    private static void Fill(CandidateTable table, int count, Instant now)
    {
        for (int i = 0; i < count; i++)
        {
            table.Add(CandidateOf(10_000 + (ulong)i, now, PeerAddress.FromIPv4(0x0A00_0100 + (uint)i, 1)));
        }
    }

    private static Candidate CandidateOf(ulong serverId, Instant now, PeerAddress? address = null)
        => new(address ?? Home, clientId: 100 + serverId, serverId, default, now + CandidateTable.Lifetime);
}

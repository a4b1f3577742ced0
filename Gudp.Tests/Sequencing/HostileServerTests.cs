using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// A server that lies costs a member its run at most: never an exception, and never more memory than its limit (clause
///
/// </summary>
[TestFixture]
public sealed class HostileServerTests
{
    private const int Limit = 100_000;

    // Streams of real servers to real members, each changed in one or several places: 6,000 in all.
    [Test]
    public void Changed_streams_of_real_servers_leave_a_member_as_it_was_or_with_a_typed_error([Range(1, 60)] int seed)
    {
        Prng random = new((ulong)seed);
        IReadOnlyList<ServerStream> streams = ServerStreams.All;
        int ended = 0;

        for (int i = 0; i < 100; i++)
        {
            ServerStream stream = streams[(int)random.NextBelow(streams.Count)];
            HearingMember member = new(stream.Make(Limit), Limit);

            foreach (ServerStreamStep step in StreamChanges.Of(stream.Steps, random))
            {
                member.Take(step);
            }

            member.SayEverything();
            ended += member.Engine.Phase == MemberPhase.Failed ? 1 : 0;
        }

        Assert.That(ended, Is.GreaterThan(20), "The changes are ones that matter.");
    }

    [Test]
    public void Unchanged_streams_end_as_they_did([Range(0, 4)] int number)
    {
        ServerStream stream = ServerStreams.All[number];
        HearingMember member = new(stream.Make(Limit), Limit);

        foreach (ServerStreamStep step in stream.Steps)
        {
            member.Take(step);
        }

        Assert.That(member.Engine.Error, Is.EqualTo(SequencingError.None), member.Engine.ErrorDetail);
        Assert.That(member.Engine.Digest, Is.EqualTo(stream.LastDigest));
        Assert.That(member.Grants, Is.GreaterThan(2));
    }

    [TestCase(0)]
    [TestCase(2_000)]
    public void A_batch_without_end_is_refused_at_the_members_limit(int payloadBytes)
    {
        MemberEngine member = Waiting();
        byte[] payload = new byte[payloadBytes];
        int frames = 0;

        while (member.Phase == MemberPhase.Waiting && frames < 100_000)
        {
            member.HandleMessage(Deliver(7, payload));
            frames++;
        }

        Assert.That(member.Error, Is.EqualTo(SequencingError.TooLarge));
        Assert.That(frames, Is.EqualTo((Limit / (64 + payloadBytes)) + 1));
    }

    // A process that came back from its ticket keeps what is too early for it.
    [Test]
    public void What_waits_for_a_resumed_members_request_is_within_the_limit_as_well()
    {
        MemberEngine member = Resumed(appliedStep: 5);
        int frames = 0;

        while (member.Phase == MemberPhase.Running && frames < 100_000)
        {
            member.HandleMessage(Deliver(7, new byte[100]));
            frames++;
        }

        Assert.That(member.Error, Is.EqualTo(SequencingError.TooLarge));
        Assert.That(frames, Is.LessThan(Limit / 100));
    }

    [Test]
    public void Roles_that_nobody_asked_for_are_no_reason_to_say_something_that_cannot_be_written()
    {
        MemberEngine member = Waiting();
        Grant(member, 10);
        member.Promise(50);
        FrameWriter taken = new();
        new RoleTakenFrame(3, Tag.Top).Write(taken, 1, 1);

        member.HandleMessage(taken.Written);

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
        Assert.That(member.Request(AdvanceMode.To, 60), Is.EqualTo(SequencingError.BadFrame));
    }

    [TestCase(long.MinValue)]
    [TestCase(-1)]
    [TestCase(1)]
    public void A_start_that_is_not_the_welcomes_is_refused(long time)
    {
        MemberEngine member = Welcomed();

        Grant(member, time);

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    [TestCase(false, 9, false, SequencingError.BadFrame)]
    [TestCase(false, 11, false, SequencingError.BadFrame)]
    [TestCase(true, 11, false, SequencingError.BadFrame)]
    [TestCase(true, 11, true, SequencingError.BadFrame)]
    [TestCase(false, 9, true, SequencingError.None)]
    [TestCase(true, 9, false, SequencingError.None)]
    [TestCase(false, 10, false, SequencingError.None)]
    public void A_grant_is_where_it_was_asked_for(bool isNext, long tag, bool isFinal, SequencingError error)
    {
        MemberEngine member = Welcomed();
        Grant(member, 0);
        member.Request(isNext ? AdvanceMode.Next : AdvanceMode.To, 10);

        Grant(member, tag, isFinal);

        Assert.That(member.Error, Is.EqualTo(error));
    }

    [Test]
    public void A_message_on_a_channel_that_was_not_subscribed_is_refused()
    {
        MemberEngine member = Waiting();

        member.HandleMessage(Deliver(7, [1], interest: 1));

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    [Test]
    public void An_end_while_the_member_waits_is_no_end()
    {
        MemberEngine member = Waiting();
        FrameWriter end = new();
        new EndFrame(3, 4).Write(end, 1, 1);

        member.HandleMessage(end.Written);

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
        Assert.That(member.RunDigest, Is.Null);
    }

    // Otherwise its commits would be taken for said, and it would wait for ever.
    [Test]
    public void A_server_that_claims_steps_which_a_waiting_member_never_made_is_refused()
    {
        MemberEngine member = Waiting();
        member.TryResume();
        member.OnSent();

        member.HandleMessage(Welcome(appliedStep: 9));

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    [Test]
    public void Names_that_were_given_twice_are_told_apart_in_a_members_record()
    {
        MemberEngine member = Welcomed("m", "m #2", "m", "m");
        Grant(member, 0);
        member.TryTakeGrant(out Grant grant);
        using MemoryStream stream = new();
        MemberRecorder recorder = new(member, new RunRecording { Stream = stream });

        Assert.That(() => recorder.Add(grant, TimeSpan.Zero), Throws.Nothing);
    }

    [Test]
    public void A_start_before_the_members_own_name_is_refused()
    {
        MemberEngine member = Welcomed([]);

        Grant(member, 0);

        Assert.That(member.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    // A display peeks again and again while the run stands still.
    [Test]
    public void Questions_that_are_not_answered_are_not_kept()
    {
        MemberEngine member = new(new MemberOptions(Options) { MayPeek = true });
        Welcome(member, "m");
        Grant(member, 0);

        for (int i = 0; i < 1_000; i++)
        {
            Assert.That(member.Peek(), Is.EqualTo(SequencingError.None));
            Assert.That(member.TryPeekOutgoing(out _), Is.True);
            member.OnSent();
        }

        Assert.That(member.KeptCommits, Is.Zero);
        member.TryResume();
        member.OnSent();
        member.HandleMessage(Welcome(appliedStep: 0));
        Assert.That(member.TryPeekOutgoing(out _), Is.True, "The last one is asked again.");
        member.OnSent();
        Assert.That(member.TryPeekOutgoing(out _), Is.False);
    }

    private static MemberOptions Options => new("m")
    {
        Publish = ["out"],
        Subscribe = ["in"],
        MaxBatchBytes = Limit,
    };

    private static MemberEngine Welcomed() => Welcomed("m");

    private static MemberEngine Welcomed(params string[] names)
    {
        MemberEngine member = new(Options);
        Welcome(member, names);
        return member;
    }

    private static void Welcome(MemberEngine member, params string[] names)
    {
        member.OnSent();
        member.HandleMessage(Welcome(appliedStep: 0));

        foreach (string name in names)
        {
            FrameWriter joined = new();
            new PeerEventFrame(name, PeerEventKind.Joined, Tag.Zero).Write(joined, 1, 1);
            member.HandleMessage(joined.Written);
        }

        Assert.That(member.Error, Is.EqualTo(SequencingError.None));
    }

    private static MemberEngine Waiting()
    {
        MemberEngine member = Welcomed();
        Grant(member, 0);
        member.TryTakeGrant(out _);
        Assert.That(member.Request(AdvanceMode.To, 10), Is.EqualTo(SequencingError.None));

        while (member.TryPeekOutgoing(out _))
        {
            member.OnSent();
        }

        return member;
    }

    private static MemberEngine Resumed(ulong appliedStep)
    {
        MemberEngine first = Welcomed();
        Grant(first, 0);
        first.TryTakeGrant(out _);
        MemberEngine member = new(
            first.CreateTicket(), new MemberOptions(Options) { MaxBatchBytes = Limit });
        member.OnSent();
        member.HandleMessage(Welcome(appliedStep));
        Assert.That(member.Error, Is.EqualTo(SequencingError.None), member.ErrorDetail);
        return member;
    }

    private static byte[] Welcome(ulong appliedStep)
    {
        FrameWriter writer = new();
        new WelcomeFrame(0, 7, Tag.Zero, Tag.Zero, 5) { AppliedStep = appliedStep }.Write(writer, 1, 1);
        return writer.Written.ToArray();
    }

    // Interests are sorted: 0 is "in", 1 is "out".
    private static byte[] Deliver(long arrival, byte[] payload, int interest = 0)
    {
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Deliver, 1, 1);
        new DeliveryRecord(new DeliveryKey(arrival, 0, 0, 1, 0), interest, payload).Write(writer, Tag.Zero);
        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static void Grant(MemberEngine member, long time, bool isFinal = false)
    {
        Digest digest = new(5, "m");

        if (member.Phase == MemberPhase.Waiting)
        {
            digest.AddGrant(time, 0, isFinal);
        }

        FrameWriter writer = new();
        ulong step = member.Phase == MemberPhase.Waiting ? 1UL : 0;
        new GrantFrame(step, step, time, 0, time, isFinal ? GrantFlags.Final : 0, digest.Value).Write(writer, 1, 1);
        member.HandleMessage(writer.Written);
    }
}

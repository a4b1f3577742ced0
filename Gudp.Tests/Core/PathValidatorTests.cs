using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The proof of an address (P-9.6 to P-9.8), without packets.</summary>
[TestFixture]
public sealed class PathValidatorTests
{
    private const int Least = 43;
    private const int Most = 1_200;

    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);
    private static readonly Instant Start = new(1_000);

    [Test]
    public void An_echo_of_its_challenge_proves_an_address()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 1_200, ProbeTimeout, Start);
        validator.TryNextChallenge(Start, Most, out PathAnswer challenge);

        bool isProved = validator.TryProve(challenge.Token, out PeerAddress proved);

        Assert.That(isProved, Is.True);
        Assert.That(proved, Is.EqualTo(At(1)));
        Assert.That(challenge.To, Is.EqualTo(At(1)));
        Assert.That(challenge.Bytes, Is.EqualTo(Most));
        Assert.That(validator.IsValidating, Is.False);
    }

    [Test]
    public void An_echo_that_nobody_asked_for_proves_nothing()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 1_200, ProbeTimeout, Start);
        validator.TryNextChallenge(Start, Most, out PathAnswer challenge);
        validator.TryTakePresentChallenge(out ulong present);

        Assert.That(validator.TryProve(challenge.Token + 1, out _), Is.False);
        Assert.That(validator.TryProve(present, out _), Is.False, "It was asked of the present address.");
        Assert.That(validator.IsValidating, Is.True);
    }

    [Test]
    public void Challenges_never_exceed_three_times_the_bytes_received()
    {
        PathValidator validator = Make();
        Instant now = Start;
        long received = Least;
        long sent = 0;
        validator.Begin(At(1), Least, ProbeTimeout, now);

        for (int i = 0; i < 100; i++)
        {
            while (validator.TryNextChallenge(now, Most, out PathAnswer challenge))
            {
                sent += challenge.Bytes;
                now = Instant.Later(now, validator.NextDeadline.IsNever ? now : validator.NextDeadline);
            }

            Assert.That(sent, Is.LessThanOrEqualTo(3 * received));
            validator.TryCredit(At(1), Least, now);
            received += Least;
        }

        Assert.That(sent, Is.GreaterThanOrEqualTo(3 * Least));
    }

    [Test]
    public void A_challenge_without_room_waits_for_bytes_and_not_for_time()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 14, ProbeTimeout, Start);

        bool isSent = validator.TryNextChallenge(Start, Most, out _);
        Instant waits = validator.NextDeadline;
        validator.TryCredit(At(1), 14, Start);

        Assert.That(isSent, Is.False);
        Assert.That(waits, Is.EqualTo(Start + (3 * ProbeTimeout)), "Only its end is waited for.");
        Assert.That(validator.TryNextChallenge(Start, Most, out PathAnswer challenge), Is.True);
        Assert.That(challenge.Bytes, Is.EqualTo(3 * 28));
    }

    [Test]
    public void A_challenge_is_repeated_with_the_same_token_at_growing_distances()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 4_000, ProbeTimeout, Start);
        validator.TryNextChallenge(Start, Most, out PathAnswer first);

        Assert.That(validator.TryNextChallenge(Start, Most, out _), Is.False);
        Assert.That(validator.TryNextChallenge(Start + ProbeTimeout, Most, out PathAnswer second), Is.True);
        Assert.That(second.Token, Is.EqualTo(first.Token));
        Assert.That(validator.NextDeadline, Is.EqualTo(Start + (3 * ProbeTimeout)));
    }

    [Test]
    public void A_candidate_without_an_answer_is_forgotten_after_three_probe_timeouts()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 1_200, ProbeTimeout, Start);

        int early = validator.RemoveExpired(Start + (2 * ProbeTimeout));
        int late = validator.RemoveExpired(Start + (3 * ProbeTimeout));

        Assert.That((early, late), Is.EqualTo((0, 1)));
        Assert.That(validator.IsValidating, Is.False);
        Assert.That(validator.NextDeadline, Is.EqualTo(Instant.Never));
    }

    [Test]
    public void A_sign_of_life_at_the_present_address_discards_all_candidates()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 1_200, ProbeTimeout, Start);
        validator.TryNextChallenge(Start, Most, out PathAnswer challenge);

        validator.Cancel();

        Assert.That(validator.IsValidating, Is.False);
        Assert.That(validator.TryProve(challenge.Token, out _), Is.False);
    }

    [Test]
    public void Of_many_candidates_the_newest_four_stand_and_each_has_a_token_of_its_own()
    {
        PathValidator validator = Make();
        HashSet<ulong> tokens = [];

        for (int i = 1; i <= 10; i++)
        {
            validator.Begin(At(i), bytes: 1_200, ProbeTimeout, Start);
        }

        HashSet<PeerAddress> asked = [];

        while (validator.TryNextChallenge(Start, Most, out PathAnswer challenge))
        {
            tokens.Add(challenge.Token);
            asked.Add(challenge.To);
        }

        Assert.That(tokens, Has.Count.EqualTo(PathValidator.Capacity));
        Assert.That(asked, Is.EquivalentTo(new[] { At(7), At(8), At(9), At(10) }));
    }

    [Test]
    public void Each_candidate_has_the_present_address_asked_once()
    {
        PathValidator validator = Make();
        validator.Begin(At(1), bytes: 1_200, ProbeTimeout, Start);

        Assert.That(validator.TryTakePresentChallenge(out _), Is.True);
        Assert.That(validator.TryTakePresentChallenge(out _), Is.False);
    }

    [Test]
    public void Of_many_answers_owed_the_newest_four_are_given()
    {
        PathValidator validator = Make();

        for (ulong token = 1; token <= 100; token++)
        {
            validator.Owe(new PathAnswer(At(1), token, Least));
        }

        List<ulong> given = [];

        while (validator.TryTakeAnswer(out PathAnswer answer))
        {
            given.Add(answer.Token);
        }

        Assert.That(given, Is.EqualTo(new ulong[] { 97, 98, 99, 100 }));
    }

    private static PathValidator Make() => new(new SeededSecrets(new Prng(1)), Least);

    private static PeerAddress At(int port) => PeerAddress.LoopbackIPv4(port);
}

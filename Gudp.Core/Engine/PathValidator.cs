// Proves that the peer receives at an address before packets go there (RFC 9000 sections 8.2 and 9; P-9.5, P-9.6, P-9.7
// and P-9.8).
//
// A candidate is an address that the newest packet came from. It gets challenges, never more than three times the bytes
// that came from it, until it echoes one, the present path proves alive by a newer packet, or its time is over.
// Several candidates stand side by side, so that a forger who makes some up cannot push out the one that is real.
//
// Always true:
//   - at most Capacity candidates and as many answers wait; the oldest makes room;
//   - sent bytes of a candidate are at most three times those received from it;
//   - an answer is not longer than the datagram that asked for it.

using System;
using System.Buffers.Binary;

namespace Gudp.Core.Engine;

/// <summary>Challenges of new addresses and answers to the peer's; see the comment on top. Pure.</summary>
internal sealed class PathValidator
{
    /// <summary>Candidates at a time, and answers that wait to be sent.</summary>
    internal const int Capacity = 4;

    /// <summary>Bytes sent to an address that has proved nothing, for each received (RFC 9000 section 8).</summary>
    internal const int AmplificationFactor = 3;

    // RFC 9000 section 8.2.4: given up after three probe time-outs.
    private const int ProbeTimeoutsToWait = 3;

    private readonly ISecretSource _secrets;
    private readonly int _leastChallengeBytes;
    private Candidate[] _candidates = [];       // made for the first: most peers never move
    private PathAnswer[] _answers = [];         // as above
    private int _count;
    private int _answerCount;
    private ulong _presentToken;
    private bool _isPresentOwed;

    /// <param name="secrets">Where challenges come from: nobody off the path may guess one.</param>
    /// <param name="leastChallengeBytes">The shortest datagram that may carry one.</param>
    internal PathValidator(ISecretSource secrets, int leastChallengeBytes)
    {
        _secrets = secrets;
        _leastChallengeBytes = leastChallengeBytes;
    }

    /// <summary>True while some address is being checked.</summary>
    internal bool IsValidating => _count > 0;

    /// <summary>When the next challenge is due or a candidate's time is over.</summary>
    internal Instant NextDeadline
    {
        get
        {
            Instant next = Instant.Never;

            foreach (ref readonly Candidate candidate in _candidates.AsSpan(0, _count))
            {
                next = Instant.Earlier(next, Instant.Earlier(candidate.NextChallengeAt, candidate.EndsAt));
            }

            return next;
        }
    }

    /// <summary>An intact packet came from an address that is not the present one.</summary>
    /// <returns>False if that address is no candidate; <see cref="Begin"/> makes it one.</returns>
    internal bool TryCredit(PeerAddress from, int bytes, Instant now)
    {
        int index = IndexOf(from);

        if (index < 0)
        {
            return false;
        }

        ref Candidate candidate = ref _candidates[index];
        candidate.ReceivedBytes += bytes;

        if (candidate.NextChallengeAt.IsNever)
        {
            candidate.NextChallengeAt = now;        // it waited for room
        }

        return true;
    }

    /// <summary>The newest packet came from there: its address is to be proved, and the present one is asked too.</summary>
    /// <param name="address">No candidate yet.</param>
    /// <param name="bytes">Length of the datagram that came.</param>
    /// <param name="probeTimeout">Of a path that nothing is known of; the challenge is repeated after it.</param>
    /// <param name="now">The turn's moment.</param>
    internal void Begin(PeerAddress address, int bytes, TimeSpan probeTimeout, Instant now)
    {
        Invariant.Require(IndexOf(address) < 0, "An address is a candidate once.");

        if (_candidates.Length == 0)
        {
            _candidates = new Candidate[Capacity];
        }

        if (_count == Capacity)
        {
            RemoveAt(0);
        }

        _candidates[_count++] = new Candidate
        {
            Address = address,
            Token = NextToken(),
            ReceivedBytes = bytes,
            NextChallengeAt = now,
            Wait = probeTimeout,
            EndsAt = now + (ProbeTimeoutsToWait * probeTimeout),
        };

        // RFC 9000 section 9.3.3: a peer that never moved answers, and its answer is newer than the forger's copy.
        _presentToken = NextToken();
        _isPresentOwed = true;
    }

    /// <summary>The newest packet came by the present path: the peer is there, and whoever said otherwise is not.</summary>
    internal void Cancel() => _count = 0;

    /// <summary>The challenge of the present path, once for each candidate that began.</summary>
    internal bool TryTakePresentChallenge(out ulong token)
    {
        token = _presentToken;
        bool isOwed = _isPresentOwed;
        _isPresentOwed = false;
        return isOwed;
    }

    /// <summary>Takes the next challenge that is due and that its candidate's bytes pay for.</summary>
    /// <param name="now">The turn's moment.</param>
    /// <param name="mostBytes">The longest datagram wanted.</param>
    /// <param name="challenge">Where to, what, and how long; the datagram has exactly that length.</param>
    internal bool TryNextChallenge(Instant now, int mostBytes, out PathAnswer challenge)
    {
        foreach (ref Candidate candidate in _candidates.AsSpan(0, _count))
        {
            if (candidate.NextChallengeAt > now)
            {
                continue;
            }

            long room = (AmplificationFactor * candidate.ReceivedBytes) - candidate.SentBytes;
            int bytes = (int)Math.Min(room, mostBytes);

            if (bytes < _leastChallengeBytes)
            {
                candidate.NextChallengeAt = Instant.Never;
                continue;
            }

            candidate.SentBytes += bytes;
            candidate.NextChallengeAt = now + candidate.Wait;
            candidate.Wait *= 2;
            challenge = new PathAnswer(candidate.Address, candidate.Token, bytes);
            return true;
        }

        challenge = default;
        return false;
    }

    /// <summary>An echo came, by whatever path. Of a challenge of ours it proves the address it was sent to.</summary>
    internal bool TryProve(ulong token, out PeerAddress proved)
    {
        for (int i = 0; i < _count; i++)
        {
            // One that was never challenged cannot be answered: its token is not out yet.
            if (_candidates[i].Token == token && _candidates[i].SentBytes > 0)
            {
                proved = _candidates[i].Address;
                _count = 0;
                return true;
            }
        }

        proved = default;
        return false;
    }

    /// <summary>Forgets the candidates whose time is over.</summary>
    /// <returns>How many there were.</returns>
    internal int RemoveExpired(Instant now)
    {
        int before = _count;

        for (int i = _count - 1; i >= 0; i--)
        {
            if (_candidates[i].EndsAt <= now)
            {
                RemoveAt(i);
            }
        }

        return before - _count;
    }

    /// <summary>The peer's challenge is to be echoed on the path it came by. Beyond the capacity the oldest goes.</summary>
    internal void Owe(in PathAnswer answer)
    {
        if (_answers.Length == 0)
        {
            _answers = new PathAnswer[Capacity];
        }

        if (_answerCount == Capacity)
        {
            _answers.AsSpan(1).CopyTo(_answers);
            _answerCount--;
        }

        _answers[_answerCount++] = answer;
    }

    /// <summary>The next echo to send; each once, a lost one is asked for again (RFC 9000 section 13.3).</summary>
    internal bool TryTakeAnswer(out PathAnswer answer)
    {
        if (_answerCount == 0)
        {
            answer = default;
            return false;
        }

        answer = _answers[0];
        _answers.AsSpan(1).CopyTo(_answers);
        _answerCount--;
        return true;
    }

    private ulong NextToken()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        _secrets.Fill(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private int IndexOf(PeerAddress address)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_candidates[i].Address == address)
            {
                return i;
            }
        }

        return -1;
    }

    private void RemoveAt(int index)
    {
        _candidates.AsSpan(index + 1, _count - index - 1).CopyTo(_candidates.AsSpan(index));
        _count--;
    }

    private struct Candidate
    {
        internal PeerAddress Address;
        internal ulong Token;
        internal long ReceivedBytes;
        internal long SentBytes;
        internal Instant NextChallengeAt;
        internal TimeSpan Wait;
        internal Instant EndsAt;
    }
}

/// <summary>A challenge or an echo on its way out.</summary>
/// <param name="To">The address it goes to.</param>
/// <param name="Token">What is asked or echoed.</param>
/// <param name="Bytes">Length of its datagram.</param>
internal readonly record struct PathAnswer(PeerAddress To, ulong Token, int Bytes);

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

// One seed of the fast swarm: two sessions without a network or a clock, mixed traffic in both directions, and a path
// that gets everything wrong for a while. Then the path heals, everything must be known to have ended as it should, and
// nothing may be left behind; then some more is sent, and the end cuts it off anywhere.

/// <summary>Runs one seed. Not reusable.</summary>
internal sealed class MixedPair : IDisposable
{
    private const int Million = 1_000_000;
    private const int MostFrameBytes = 1_400;
    private const int LeastFrameBytes = 700;
    private const int MostHealingSteps = 20_000;
    private const int LargestMessage = 256 * 1024;
    private const int QueueBytes = 128 * 1024;
    private const int LastMessages = 12;

    // Incomplete unreliable messages are kept for two seconds.
    private const int MostEmptyingSteps = 3_000;

    private readonly Prng _draws;
    private readonly SessionPair _pair;
    private readonly MixedTraffic _there;
    private readonly MixedTraffic _back;
    private readonly int _faultSteps;
    private readonly bool _narrows;
    private readonly bool _refuses;

    internal MixedPair(ulong seed, IReadOnlyList<LaneOptions>? lanes = null)
    {
        _draws = new Prng(seed).Split(1);
        Prng plans = new Prng(seed).Split(2);
        lanes ??= LaneModes.Drawn(plans);
        MessagingConfig config = LaneModes.Apply(lanes, DrawConfig(plans));
        _pair = new SessionPair(seed, DrawPath(plans), config);
        MixedPlan there = MixedPlan.Drawn(plans.Split(1), lanes, Messages(plans));
        MixedPlan back = MixedPlan.Drawn(plans.Split(2), there.Lanes, Messages(plans) / 4);
        _there = new MixedTraffic("there", _pair.Client.Peer, plans.Split(3), there) { Receiver = _pair.Server.Peer };
        _back = new MixedTraffic("back", _pair.Server.Peer, plans.Split(4), back) { Receiver = _pair.Client.Peer };
        _faultSteps = (int)plans.NextBetween(50, 600);
        _narrows = plans.NextChance(Million / 4);
        _refuses = plans.NextChance(Million / 4);
        _pair.Open(config);
    }

    internal string Standing
        => $"step {_pair.Steps}; client {_pair.Client}, server {_pair.Server}; {_there.Standing}; {_back.Standing}";

    /// <summary>How the messages of both directions ended, once it has run.</summary>
    internal MixedAccount Account { get; } = new();

    internal void Run()
    {
        while (_pair.Steps < _faultSteps)
        {
            Disturb();
            Advance();
        }

        Heal();
        Assert.That(Finish(), Is.True, "Healed, and yet not everything ended.");
        AssertEmpties();
        End();
        _there.AssertEnded(Account);
        _back.AssertEnded(Account);
    }

    public void Dispose() => _pair.Dispose();

    private static int Messages(Prng plans) => (int)plans.NextBetween(20, 250);

    private static MessagingConfig DrawConfig(Prng plans)
    {
        int ring = (64 * 1024) << (int)plans.NextBelow(3);

        return new MessagingConfig
        {
            Lanes = MixedPlan.LaneCount,
            MaxMessageBytes = LargestMessage,
            LaneRingBytes = ring,
            DatagramQueueBytes = QueueBytes,

            // Every lane's ring and one large message fit, in both directions, so that no lane waits for another for
            // ever. What else needs memory finds more or less.
            PeerMemoryBytes = (2 * MixedPlan.LaneCount * ring) + (2 * (QueueBytes + LargestMessage))
                + plans.NextBelow(LargestMessage * 8),
        };
    }

    private static PathModel DrawPath(Prng plans) => new()
    {
        LossPpm = OffOr(plans, 400_000),
        DuplicatePpm = OffOr(plans, 500_000),
        AckLossPpm = OffOr(plans, 400_000),
        MostDelaySteps = (int)plans.NextBetween(1, 30),
        PacketsPerStep = (int)plans.NextBetween(1, 32),
        PatienceSteps = (int)plans.NextBetween(4, 40),
        FrameBytes = (int)plans.NextBetween(LeastFrameBytes, MostFrameBytes),
    };

    private static int OffOr(Prng plans, int most)
    {
        int drawn = (int)plans.NextBetween(1, most);
        return plans.NextChance(Million / 2) ? 0 : drawn;
    }

    private void Disturb()
    {
        if (_narrows && _draws.NextChance(20_000))
        {
            _pair.Client.MaxFrameBytes = (int)_draws.NextBetween(LeastFrameBytes, _pair.Path.FrameBytes);
        }

        if (_refuses && _draws.NextChance(50_000))
        {
            _pair.Server.RefusesAll = !_pair.Server.RefusesAll;
        }
    }

    private void Advance()
    {
        _there.Now = _pair.Now;
        _back.Now = _pair.Now;
        _there.Send();
        _back.Send();
        _pair.Step();
        _there.Read();
        _back.Read();
        AssertAlive();
    }

    private void Heal()
    {
        _pair.Path = new PathModel { FrameBytes = _pair.Path.FrameBytes };
        _pair.Client.MaxFrameBytes = _pair.Path.FrameBytes;
        _pair.Server.RefusesAll = false;
        _there.IsHealed = true;
        _back.IsHealed = true;
    }

    private bool Finish()
    {
        for (int i = 0; i < MostHealingSteps && !(_there.IsFinished && _back.IsFinished); i++)
        {
            Advance();
        }

        return _there.IsFinished && _back.IsFinished;
    }

    private void AssertEmpties()
    {
        for (int i = 0; i < MostEmptyingSteps && !(_there.IsEmpty() && _back.IsEmpty()); i++)
        {
            Advance();
        }

        if (!(_there.IsEmpty() && _back.IsEmpty()))
        {
            Assert.Fail($"Something is left behind: {_there.Remains}; {_back.Remains}");
        }
    }

    private void End()
    {
        _there.Now = _pair.Now;
        _back.Now = _pair.Now;
        _there.SendLast(LastMessages);
        _back.SendLast(LastMessages);

        for (long i = _draws.NextBelow(6); i > 0; i--)
        {
            Advance();
        }

        _there.HasConnectionEnded = true;
        _back.HasConnectionEnded = true;
        _pair.End();
        _there.ReadAll();
        _back.ReadAll();
    }

    private void AssertAlive()
    {
        if (_pair.Client.Violations.Count + _pair.Server.Violations.Count > 0
            || _pair.Client.IsFinal || _pair.Server.IsFinal)
        {
            Assert.Fail($"Nobody closed it, and yet: "
                + $"{string.Join(", ", _pair.Client.Violations)}, {_pair.Client.CloseReason} / "
                + $"{string.Join(", ", _pair.Server.Violations)}, {_pair.Server.CloseReason}.");
        }
    }
}

using System.Globalization;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Wire;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

/// <summary>T22: nothing that arrives makes an exception, a hang, a wrong count or a wrong delivery.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class FuzzTests
{
    private const string IterationsVariable = "GUDP_FUZZ_ITERATIONS";
    private const string SeedVariable = "GUDP_FUZZ_SEED";
    private const long UsualIterations = 30_000;
    private const int FramesPerPeer = 32;
    private const int MostFrameBytes = 200;

    private static readonly LinkModel Bad = new()
    {
        Delay = TimeSpan.FromMilliseconds(5),
        Jitter = TimeSpan.FromMilliseconds(5),
        LossPpm = 100_000,
        CorruptPpm = 200_000,
        DuplicatePpm = 50_000,
    };

    // A connection that is ended by a rule broken on purpose must not wait for anything.
    private static readonly GudpConfig Strict = SimWorld.Plain with
    {
        Connections = SimWorld.Plain.Connections with { LingerTimeout = TimeSpan.Zero },
    };

    private static long Iterations => Number(IterationsVariable, UsualIterations);

    private static ulong Seed => (ulong)Number(SeedVariable, 1);

    /// <summary>Traffic both ways, and between it datagrams of before that came back changed, and noise.</summary>
    [Test]
    public void T22_Damaged_lost_doubled_and_invented_datagrams_are_survived()
    {
        Wiretap tap = new();
        using SimWorld world = new(Seed) { Tap = tap };
        world.Network.DefaultLink = Bad;
        using PeerPair pair = PeerPair.In(world, new MessagingConfig { Core = SimWorld.Plain });
        Oracles oracles = new(world);
        world.Watch = oracles.Watch;
        BulkFlow there = new(pair.Client, pair.Server, long.MaxValue);
        BulkFlow back = new(pair.Server, pair.Client, long.MaxValue);
        Prng draws = world.Draws.Split(1);
        byte[] noise = new byte[WireFormat.MaxDatagramBytes];

        while (world.Network.Faults.Begun < Iterations)
        {
            there.Advance();
            back.Advance();
            InjectOne(world, tap, draws, noise);
            world.Step(world.Now + TimeSpan.FromMilliseconds(1));
        }

        oracles.AssertCountedOnce();
        pair.AssertAlive();
        Assert.That(there.ReceivedBytes, Is.Positive);
        Assert.That(back.ReceivedBytes, Is.Positive);
    }

    /// <summary>Intact packets full of frames that make no sense: their connection may end, and nothing else.</summary>
    [Test]
    public void T22_Frames_without_sense_in_intact_packets_are_survived()
    {
        using SimWorld world = new(Seed);
        Node node = world.AddNode(Strict);
        Endpoint server = node.Open(7_000);
        server.Listen();
        Prng draws = world.Draws.Split(1);
        byte[] frames = new byte[MostFrameBytes];

        for (long done = 0; done < Iterations / 10; done += FramesPerPeer)
        {
            RawPeer peer = new(world, server);
            peer.Open();
            Assert.That(server.TryAccept(out Connection? accepted), Is.True, world.ReplayLine);

            for (int i = 0; i < FramesPerPeer && accepted!.Status.IsOpen; i++)
            {
                int length = (int)draws.NextBetween(1, MostFrameBytes);
                draws.FillInto(frames.AsSpan(0, length));

                // Half of them begin as a frame that exists.
                frames[0] = draws.NextChance(500_000) ? (byte)draws.NextBelow(32) : frames[0];
                peer.Send(frames.AsSpan(0, length));
                peer.Take();
            }

            accepted!.Dispose();
            peer.Close();
            world.Run(TimeSpan.FromMilliseconds(20));
            Assert.That(node.Daemon.Fault, Is.Null, world.ReplayLine);
        }

        new Oracles(world).AssertCountedOnce();
    }

    private static void InjectOne(SimWorld world, Wiretap tap, Prng draws, byte[] noise)
    {
        if (tap.Count == 0 || !draws.NextChance(200_000))
        {
            return;
        }

        TappedDatagram former = tap.At((int)draws.NextBelow(tap.Count));
        byte[] changed = [.. former.Bytes];

        if (draws.NextChance(500_000))
        {
            int length = (int)draws.NextBelow(noise.Length);
            draws.FillInto(noise.AsSpan(0, length));
            changed = noise[..length];
        }
        else
        {
            for (long i = draws.NextBelow(4); i > 0 && changed.Length > 0; i--)
            {
                changed[draws.NextBelow(changed.Length)] = (byte)draws.NextBelow(256);
            }
        }

        world.Network.Inject(former.From, former.To, changed);
    }

    private static long Number(string variable, long usual)
        => Environment.GetEnvironmentVariable(variable) is { } text
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : usual;
}

using Gudp.Sequencing;
using Gudp.Tools.Demo;

namespace Gudp.Tests.Tools;

/// <summary>A run of the flock that no process took part in: real shares, and waits and wall times made up.</summary>
internal sealed class FlockRecord
{
    internal const string RunDigest = "0000000000000007";

    private readonly DemoPlan _plan;
    private readonly byte[] _bytes;
    private readonly FlockPilot[] _pilots;
    private readonly string[] _names;

    /// <param name="plan">Members, agents, steps and seed.</param>
    /// <param name="names">Null: those of the demo.</param>
    /// <param name="waits">For a step and a member, how long and for whom; null: nobody waits.</param>
    internal FlockRecord(
        DemoPlan plan, string[]? names = null, Func<int, int, (long Milliseconds, int For)?>? waits = null)
    {
        _plan = plan;
        _names = names ?? [.. Enumerable.Range(0, plan.Members).Select(FlockRun.NameOf)];
        _pilots =
        [
            .. Enumerable.Range(0, plan.Members)
                .Select(member => new FlockPilot(new FlockModel(plan.Agents, plan.Seed), member, plan.Members)),
        ];
        _bytes = Written(waits ?? ((_, _) => null));
    }

    /// <summary>Wall milliseconds of the last grant of a step.</summary>
    internal static long WallOf(int step) => 10 + (step * 3) + (step * step % 7);

    internal RecordedDemoRun Open(int run) => new(
        new DemoRunResult(
            new DemoRunPlan(run, 1, [.. Enumerable.Range(0, _plan.Members)], null), RunDigest,
            [.. Enumerable.Range(0, _plan.Members).Select(Report)], TimeSpan.FromSeconds(1)),
        new RunRecord(new MemoryStream(_bytes)));

    internal ulong Checksum => _pilots[0].Checksum();

    private byte[] Written(Func<int, int, (long Milliseconds, int For)?> waits)
    {
        using MemoryStream bytes = new();
        RunRecordWriter writer = new(bytes, new RunRecordHead());

        for (int member = 0; member < _plan.Members; member++)
        {
            writer.AddMember(member, _names[member]);
            writer.AddChannel(member, FlockRun.ChannelOf(member));
            writer.AddGrant(new RecordedGrant(member, 0, Tag.Zero, 1) { WallMilliseconds = WallOf(0) });
        }

        for (int step = 1; step <= _plan.Steps; step++)
        {
            byte[][] shares = [.. _pilots.Select(pilot => pilot.Move().ToArray())];

            for (int member = 0; member < _plan.Members; member++)
            {
                WriteGrant(writer, step, member, shares);
                (long Milliseconds, int For)? wait = waits(step, member);
                writer.AddGrant(new RecordedGrant(member, step, step, (ulong)step)
                {
                    WallMilliseconds = WallOf(step),
                    WaitedMilliseconds = wait?.Milliseconds ?? 0,
                    WaitedFor = wait?.For,
                    WaitedBecause = wait is null ? WaitKind.None : WaitKind.Running,
                });
            }
        }

        writer.Complete(7);
        writer.Flush();
        return bytes.ToArray();
    }

    private void WriteGrant(RunRecordWriter writer, int step, int member, byte[][] shares)
    {
        List<SequencedMessage> batch = [];

        for (int other = 0; other < shares.Length; other++)
        {
            if (other != member)
            {
                string channel = FlockRun.ChannelOf(other);
                writer.AddDelivery(new MessageKey(step, step - 1, other, step, 0), other, shares[other]);
                batch.Add(new SequencedMessage(channel, step, step - 1, _names[other], other, step, shares[other]));
            }
        }

        _pilots[member].Take(batch);
    }

    private MemberReport Report(int member) => new()
    {
        Member = member,
        Steps = _plan.Steps,
        Grants = _plan.Steps + 1,
        Messages = _pilots[member].Messages,
        Waited = TimeSpan.Zero,
        WaitedFor = new Dictionary<string, TimeSpan>(),
        Rtt = TimeSpan.Zero,
        PacketsSent = 0,
        PacketsLost = 0,
        Retransmits = 0,
        Digest = "d",
        Checksum = FlockServer.TextOf(_pilots[member].Checksum()),
        RunDigest = RunDigest,
    };
}

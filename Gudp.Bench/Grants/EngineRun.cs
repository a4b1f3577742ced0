using System.Diagnostics;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Bench.Grants;

/// <summary>
/// A server's and its members' engines on one thread, and nothing between them: what a grant costs beside the network.
/// </summary>
internal sealed class EngineRun
{
    private readonly ServerEngine _server;
    private readonly MemberEngine[] _members;
    private readonly EngineSpeaker[] _speakers;
    private readonly IMemberWork[] _works;
    private Instant _now = new(1);

    /// <param name="work">What the members do.</param>
    /// <param name="members">How many.</param>
    internal EngineRun(GrantWork work, int members)
    {
        SequencingConfig config = MemberWorks.Config(work, members);
        RunLayout layout = new(config);
        _server = new ServerEngine(layout, new SeededSecrets(new Prng(1)));
        _members = [.. config.Roster.Select(
            member => new MemberEngine(MemberOptions.From(config, member.Name, layout.ConfigHash)))];
        _speakers = [.. _members.Select(member => new EngineSpeaker(member))];
        _works = [.. Enumerable.Range(0, members).Select(member => MemberWorks.Of(work, member, members))];
    }

    internal long Grants { get; private set; }

    /// <summary>Messages delivered to members.</summary>
    internal long Events { get; private set; }

    /// <summary>From members to the server.</summary>
    internal long MessagesUp { get; private set; }

    /// <summary>From the server to members.</summary>
    internal long MessagesDown { get; private set; }

    /// <summary>What the server keeps of the run and did with it.</summary>
    internal ServerEngine Server => _server;

    /// <summary>Turns until so many grants more were given.</summary>
    /// <exception cref="InvalidOperationException">A turn gave none, or somebody was refused.</exception>
    internal void GoOn(long grants)
    {
        long end = Grants + grants;
        int idle = 0;

        while (Grants < end)
        {
            long before = Grants;
            Turn();
            idle = Grants > before ? 0 : idle + 1;

            // Hello, welcome and the start take a turn each.
            if (idle > 3 || _server.Refusals > 0)
            {
                throw new InvalidOperationException($"After {Grants} grants: {_members[0].ErrorDetail}.");
            }
        }
    }

    /// <summary>As many grants as fit, in steps, measured.</summary>
    internal GrantSample Measure(TimeSpan span)
    {
        const int Step = 2_048;
        GoOn(16 * Step);
        (long grants, long events, long up, long down) = (Grants, Events, MessagesUp, MessagesDown);
        TimeSpan worked = Environment.CpuUsage.TotalTime;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < span)
        {
            GoOn(Step);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double given = Grants - grants;
        return new GrantSample
        {
            GrantsPerSecond = given / seconds,
            ProcessorMicroseconds = (Environment.CpuUsage.TotalTime - worked).TotalMicroseconds / given,
            EventsPerSecond = (Events - events) / seconds,
            MessagesUp = (MessagesUp - up) / given,
            MessagesDown = (MessagesDown - down) / given,
            AllocatedBytes = (GC.GetAllocatedBytesForCurrentThread() - allocated) / given,
        };
    }

    private void Turn()
    {
        _now += TimeSpan.FromTicks(1);

        for (int link = 0; link < _members.Length; link++)
        {
            Act(link);
            SendAll(link);
        }

        _server.Evaluate(_now);

        while (_server.TryTakeOutgoing(out Outgoing outgoing))
        {
            MessagesDown++;
            _members[outgoing.Link].HandleMessage(outgoing.Message);
            outgoing.Release();
        }
    }

    private void Act(int link)
    {
        if (_members[link].TryReadGrant(out GrantView grant))
        {
            Grants++;
            Events += grant.Messages.Length;
            _works[link].Act(_speakers[link], in grant);
        }
    }

    private void SendAll(int link)
    {
        while (_members[link].TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            MessagesUp++;
            _server.HandleMessage(link, message, _now);
            _members[link].OnSent();
        }
    }
}

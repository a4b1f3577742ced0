using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Tests.Sequencing.Joining;

namespace Gudp.Tests.Sequencing;

/// <summary>One thing that happened to a member: a message of its server, or a call of its program.</summary>
internal sealed record ServerStreamStep(byte[]? Message, Action<MemberEngine>? Act);

/// <summary>All that a real server said to one member, and what the member's program did in between.</summary>
/// <param name="Make">A member as the one that heard it was at the beginning; most bytes of a batch.</param>
/// <param name="Steps">In order.</param>
/// <param name="LastDigest">The member's, at the end.</param>
internal sealed record ServerStream(
    Func<long, MemberEngine> Make, IReadOnlyList<ServerStreamStep> Steps, ulong LastDigest);

/// <summary>Streams with every kind of frame that a member is sent.</summary>
internal static class ServerStreams
{
    private const long Join = 30;

    private static readonly Lazy<IReadOnlyList<ServerStream>> Streams = new(
        () => [Plain(), Late(), Changing(), Broken(), Returned()]);

    internal static IReadOnlyList<ServerStream> All => Streams.Value;

    private static SequencingConfig Config(bool isLate) => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"], Subscribe = ["y"] },
            new MemberDeclaration("m")
            {
                Publish = ["y"],
                Subscribe = ["x"],
                SubscribeQuietly = [SystemEvent.Channel],
                MayPeek = true,
                MayStop = true,
                Join = isLate ? Join : Tag.Zero,
                Policies = { ["x"] = BufferPolicy.Newest(3) },
            },
        ],
    };

    private static ServerStream Plain()
    {
        Recording recording = new(Config(isLate: false));

        for (long time = 10; time <= 60; time += 10)
        {
            recording.Step(time);
        }

        recording.Do(member => member.Resign());
        recording.Other.Resign();
        return recording.Done();
    }

    private static ServerStream Late()
    {
        SequencingConfig config = Config(isLate: true);
        LinkedRun run = new(config, absent: "m");
        run.Settle();
        MemberEngine other = run["a"].Engine;

        for (long time = 5; time < Join + 20; time += 5)
        {
            other.TryTakeGrant(out _);
            other.Publish("x", new byte[9], null);
            other.Snapshot("state", new byte[20]);
            other.Request(AdvanceMode.To, time);
            run.Settle();
        }

        Recording recording = new(run, config, HistoryStart.Snapshot);
        recording.Step(Join + 30);
        recording.Step(Join + 40);
        return recording.Done();
    }

    private static ServerStream Changing()
    {
        Recording recording = new(Config(isLate: false));
        recording.Do(member => member.SetRoles(sends: false, receives: true));
        recording.Step(10);
        recording.Do(member => member.SetRoles(sends: true, receives: true));
        recording.Step(20);
        recording.Do(member => member.SetInterest("x", false));
        recording.Do(member => member.Peek());
        recording.Step(30);
        recording.Do(member => member.SetInterest("x", true));
        recording.Step(40);
        recording.Step(50);
        return recording.Done();
    }

    private static ServerStream Broken()
    {
        Recording recording = new(Config(isLate: false));

        for (long time = 10; time <= 40; time += 10)
        {
            recording.Step(time, isCut: true);
        }

        return recording.Done();
    }

    private static ServerStream Returned()
    {
        Recording recording = new(Config(isLate: false));
        recording.Step(10);
        ResumeTicket ticket = recording.Run["m"].Engine.CreateTicket();
        recording.Ask(20);
        recording.Answer(20);
        recording.Return(ticket);

        // Again what it did before it died.
        recording.Ask(20);
        recording.Step(30);
        recording.Step(40);
        return recording.Done();
    }

    private sealed class Recording
    {
        private readonly List<ServerStreamStep> _steps = [];
        private Func<long, MemberEngine> _make;

        internal Recording(SequencingConfig config)
            : this(new LinkedRun(config, absent: "m"), config, HistoryStart.Live)
        {
        }

        internal Recording(LinkedRun run, SequencingConfig config, HistoryStart history)
        {
            MemberOptions options = new(MemberOptions.From(config, "m")) { History = history };
            Run = run;
            _make = limit => new MemberEngine(new MemberOptions(options) { MaxBatchBytes = limit });
            Run.Join(options);
            Settle();
        }

        internal LinkedRun Run { get; }

        internal MemberEngine Other => Run["a"].Engine;

        /// <summary>Both publish and go on to a time; the member waits for what the other one sends.</summary>
        internal void Step(long time, bool isCut = false)
        {
            Ask(time);

            if (isCut)
            {
                Run.Drop(Run["m"]);
                Do(member => member.TryResume());
                Settle();
            }

            Answer(time);
            Do(member => member.Request(AdvanceMode.To, time));
            Settle();
        }

        internal void Ask(long time)
        {
            Do(member => member.Publish("y", new byte[7], null));
            Do(member => member.Request(AdvanceMode.Next, time));
            Settle();
        }

        internal void Answer(long time)
        {
            Other.TryTakeGrant(out _);

            for (int i = 0; i < 5; i++)
            {
                Other.Publish("x", new byte[10 * i], new Tag(time - 1, (uint)i));
            }

            Other.Request(AdvanceMode.To, time);
            Settle();
        }

        internal void Return(ResumeTicket ticket)
        {
            Run.Restart(Run["m"], ticket);
            _steps.Clear();
            _make = limit => new MemberEngine(
                ticket, new MemberOptions(MemberOptions.From(ticket.Hello)) { MaxBatchBytes = limit });
            Settle();
        }

        internal void Do(Action<MemberEngine> act)
        {
            MemberEngine member = Run["m"].Engine;
            member.TryTakeGrant(out _);
            act(member);
            _steps.Add(new ServerStreamStep(null, act));
        }

        internal void Settle()
        {
            LinkedMember member = Run["m"];

            for (bool moved = true; moved;)
            {
                moved = Run.MoveUp(member);

                if (Run.SentTo(member.Link).FirstOrDefault() is { } message)
                {
                    _steps.Add(new ServerStreamStep(message, null));
                    moved = Run.MoveDown(member);
                }

                moved |= Run.MoveUp(Run["a"]) | Run.MoveDown(Run["a"]);
            }
        }

        internal ServerStream Done()
        {
            Settle();
            return new ServerStream(_make, _steps, Run["m"].Engine.Digest);
        }
    }
}

// Server and members of one run in one process: the engines that also work over the network, and between them nothing
// but calls. What a member says goes into the server's engine at once; the server's answers go into the members' engines
// in a turn, and then those whose code waits go on, one after the other, until each waits again.
//
// Always true:
//   - one thread at a time; in a turn, the members' code runs on the thread that turns;
//   - virtual time passes only when nothing else can happen, and then to the next deadline;
//   - who goes on first depends on nothing but the configuration and what the members said.

using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Links;

namespace Gudp.Sequencing;

/// <summary>
/// A run whose server and members are in one process, for unit tests of members and for simulations that need no network:
/// no sockets, no threads, virtual time. Grants, batches and digests are those of the same run over the network.
/// </summary>
/// <remarks>
/// The code of a member is the same as over the network: <see cref="Add"/> it and <see cref="Run"/>. Of what a member
/// may await, only its client's calls and delays on <see cref="Clock"/> belong to the host. A test can also play a member
/// by hand, with the client of <see cref="Join(string)"/>: its blocking calls let the others go on while they wait.
/// One thread at a time.
/// </remarks>
public sealed partial class SequenceHost
{
    // Deadlines in a row that change nothing: more of them than there are members is an endless loop.
    private const int MaxIdleDeadlines = 100_000;

    private readonly SequencingConfig _config;
    private readonly ServerEngine _server;
    private readonly List<HostedLink> _links = [];
    private readonly List<(SequenceClient Client, HostedLink Link, Task Work)> _bodies = [];
    private readonly List<SequenceClient> _played = [];
    private readonly HostClock _clock;
    private List<HostedLink> _ready = [];
    private List<HostedLink> _waking = [];
    private ExceptionDispatchInfo? _failure;
    private int _turningThread;
    private int _idleDeadlines;

    /// <summary>Makes a run that nobody has joined.</summary>
    /// <param name="config">Members, channels and limits, as for a <see cref="SequenceServer"/>.</param>
    /// <exception cref="GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
    public SequenceHost(SequencingConfig config)
    {
        RunLayout layout = new(config);
        _config = config;
        _server = new ServerEngine(layout, new SeededSecrets(new Prng(1)));
        _clock = new HostClock();
        ConfigHash = layout.ConfigHash;
    }

    /// <summary>Hash over what members can see of the configuration.</summary>
    public ulong ConfigHash { get; }

    /// <summary>
    /// The virtual time, from 0 on: pacing, health limits and time-outs are measured by it. Timers and
    /// <see cref="Task.Delay(TimeSpan, TimeProvider)"/> on it end in the host's turns.
    /// </summary>
    public TimeProvider Clock => _clock;

    /// <summary>True once everybody has resigned, or the run was aborted.</summary>
    public bool HasEnded => _server.Phase is RunPhase.Ended or RunPhase.Aborted;

    /// <summary>The digest of the whole run; valid once <see cref="HasEnded"/>.</summary>
    public ulong RunDigest => _server.RunDigest;

    /// <summary>Frames and commits of members that were refused so far.</summary>
    public long Refusals => _server.Refusals;

    /// <summary>Adds a member of the roster and its code.</summary>
    /// <param name="name">A name of the roster.</param>
    /// <param name="body">
    /// Called in <see cref="Run"/> at the member's first grant. When it returns, the member resigns if it has not; what it
    /// throws comes out of <see cref="Run"/>.
    /// </param>
    /// <returns>The member's client, to look at.</returns>
    /// <exception cref="ArgumentException">The roster has no such member.</exception>
    public SequenceClient Add(string name, Func<SequenceClient, Task> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        SequenceClient client = Connect(OptionsOf(name), out HostedLink link);
        _bodies.Add((client, link, PlayAsync(client, body)));
        return client;
    }

    /// <summary>Joins as a member of the roster that the caller plays by hand.</summary>
    /// <param name="name">A name of the roster.</param>
    /// <returns>
    /// A client before its first grant: <see cref="SequenceClient.WaitForGrant"/> has it once everybody has joined.
    /// Disposed before it resigned it is lost, and its <see cref="MemberDeclaration.CrashPolicy"/> decides.
    /// </returns>
    /// <exception cref="ArgumentException">The roster has no such member.</exception>
    public SequenceClient Join(string name) => Join(OptionsOf(name));

    /// <summary>As <see cref="Join(string)"/>, with a declaration that the server judges.</summary>
    /// <param name="options">Who joins, and what it declares.</param>
    public SequenceClient Join(MemberOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Play(Connect(options, out _));
    }

    /// <summary>Goes on for a member that was lost at the ticket's sequence point.</summary>
    /// <param name="ticket">From <see cref="SequenceClient.CreateTicket"/>.</param>
    /// <param name="options">As for <see cref="SequenceClient.Resume"/>, without ResumeFor.</param>
    /// <returns>A client at the ticket's sequence point, as of <see cref="SequenceClient.BeginResume"/>.</returns>
    /// <exception cref="ArgumentException">The options are another member's.</exception>
    public SequenceClient Resume(ResumeTicket ticket, MemberOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        MemberOptions resumed = MemberOptions.From(ticket, options);
        return Play(Connect(new MemberEngine(ticket, resumed), resumed, out _));
    }

    /// <summary>
    /// Turns until the run has ended, or until nothing can happen before a member that is played by hand goes on.
    /// </summary>
    /// <returns>Whether the run has ended.</returns>
    /// <exception cref="InvalidOperationException">
    /// Nothing can ever happen any more; who waits for whom is said. Or a call from inside a member's code.
    /// </exception>
    public bool Run()
    {
        while (!HasEnded && TurnOrPass(Instant.Never))
        {
        }

        // What the end has to tell.
        while (Turn())
        {
        }

        if (!HasEnded && _played.Count == 0 && Unfinished() is string waits)
        {
            throw new InvalidOperationException($"Nothing can happen any more. {waits}");
        }

        return HasEnded;
    }

    /// <summary>
    /// Everything that can move moves once: grants are given and delivered, and the members that got one go on until
    /// they wait again. No virtual time passes.
    /// </summary>
    /// <returns>False if nothing moved.</returns>
    /// <exception cref="InvalidOperationException">A call from inside a member's code.</exception>
    public bool Turn()
    {
        if (_turningThread != 0)
        {
            throw new InvalidOperationException(
                "A member's code in the host awaits: a call that blocks would keep everybody else waiting for ever.");
        }

        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _turningThread = Environment.CurrentManagedThreadId;

        try
        {
            bool hasMoved = Deliver();
            return Wake() || hasMoved;
        }
        finally
        {
            _turningThread = 0;
            SynchronizationContext.SetSynchronizationContext(context);
            ThrowIfFailed();
        }
    }

    /// <summary>Lets virtual time pass, with everything that is due on the way.</summary>
    /// <param name="time">Zero or more.</param>
    public void Pass(TimeSpan time)
    {
        Instant end = _clock.Now + time;

        while (TurnOrPass(end))
        {
        }

        _clock.PassTo(end);
    }

    /// <summary>Who keeps a member waiting: the chain from it to the root.</summary>
    /// <param name="member">A name of the roster.</param>
    /// <returns>Null if nobody has that name, or it does not wait.</returns>
    public WaitReport? WhoBlocks(string member) => _server.WhoBlocks(member, _clock.Now);

    /// <summary>How the run stands.</summary>
    public RunStatus ReadStatus() => _server.ReadStatus(_clock.Now);

    /// <summary>What was counted since the run began.</summary>
    public RunCounters ReadCounters() => _server.Counters;

    /// <inheritdoc cref="SequenceServer.TryTakeWaitReport"/>
    public bool TryTakeWaitReport([NotNullWhen(true)] out WaitReport? report) => _server.TryTakeReport(out report);

    /// <summary>What a member says.</summary>
    internal void Take(HostedLink from, ReadOnlySpan<byte> message)
    {
        if (_turningThread != 0 && _turningThread != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException(
                $"Member '{from.Engine.Name}' went on outside of the host: it awaited something else than its client.");
        }

        _server.HandleMessage(from.Number, message, _clock.Now);
    }

    /// <summary>A client was disposed.</summary>
    internal void Lose(HostedLink link)
    {
        _server.HandleLinkLost(link.Number, _clock.Now);
        MakeReady(link);
    }

    /// <summary>The others go on until something came by that link, or its end.</summary>
    /// <returns>False if the virtual time passed first.</returns>
    internal bool TurnUntilNews(HostedLink link, TimeSpan timeout)
    {
        bool isEndless = timeout == Timeout.InfiniteTimeSpan;
        Instant end = isEndless ? Instant.Never : _clock.Now + timeout;

        while (!link.HasNews && TurnOrPass(end))
        {
        }

        if (!link.HasNews && isEndless)
        {
            throw new InvalidOperationException(
                $"Member '{link.Engine.Name}' would wait for ever. {WhoBlocks(link.Engine.Name)}");
        }

        if (!link.HasNews)
        {
            _clock.PassTo(end);
        }

        return link.HasNews;
    }

    private MemberOptions OptionsOf(string name) => MemberOptions.From(_config, name, ConfigHash);

    private SequenceClient Connect(MemberOptions options, out HostedLink link)
        => Connect(new MemberEngine(options), options, out link);

    private SequenceClient Connect(MemberEngine engine, MemberOptions options, out HostedLink link)
    {
        MemberOptions hosted = new(options)
        {
            ResumeFor = TimeSpan.Zero,
            Clock = _clock,
            IsDebugged = static () => false,
        };

        link = new HostedLink(this, _links.Count, engine);
        _links.Add(link);
        SequenceClient client = new(engine, hosted, link);

        // Says hello. Nothing is answered before the next turn.
        client.TryTakeGrant(out _);
        return client;
    }

    private SequenceClient Play(SequenceClient client)
    {
        _played.Add(client);
        return client;
    }

    private async Task PlayAsync(SequenceClient client, Func<SequenceClient, Task> body)
    {
        try
        {
            await client.WaitForGrantAsync().ConfigureAwait(false);
            await body(client).ConfigureAwait(false);

            if (client.IsRunning)
            {
                await client.ResignAsync().ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // Whatever it is, it comes out of the turn, and not as an exception nobody looks at.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure ??= ExceptionDispatchInfo.Capture(failure);
        }
    }

    private bool TurnOrPass(Instant end)
    {
        if (Turn())
        {
            _idleDeadlines = 0;
            return true;
        }

        Instant next = Instant.Earlier(_server.NextDeadline, _clock.NextTimer);

        if (next.IsNever || next > end || ++_idleDeadlines > MaxIdleDeadlines)
        {
            return false;
        }

        _clock.PassTo(next);
        _server.HandleTimeout(_clock.Now);
        return true;
    }

    private bool Deliver()
    {
        // Who waits has sent what it said; who is played by hand may only have asked.
        foreach (SequenceClient client in _played)
        {
            client.SendCommits();
        }

        _server.Evaluate(_clock.Now);
        return HandOut();
    }

    private bool HandOut()
    {
        bool hasMoved = false;

        while (_server.TryTakeOutgoing(out Outgoing outgoing))
        {
            if (outgoing.Link == OperatorLink)
            {
                _operator.HandleMessage(outgoing.Message);
                outgoing.Release();
                continue;
            }

            HostedLink link = _links[(int)outgoing.Link];

            if (outgoing.Closes)
            {
                link.Close(new CloseReason(CloseCode.Superseded, "The session goes on elsewhere."));
            }
            else if (!link.IsClosed)
            {
                link.Deliver(outgoing.Message);
            }

            outgoing.Release();
            MakeReady(link);
            hasMoved = true;
        }

        if (HasEnded)
        {
            EndRecord();
        }

        return hasMoved;
    }

    private void MakeReady(HostedLink link)
    {
        if (!link.IsReady)
        {
            link.IsReady = true;
            _ready.Add(link);
        }
    }

    private bool Wake()
    {
        bool hasMoved = _clock.FireDue();
        (_ready, _waking) = (_waking, _ready);

        foreach (HostedLink link in _waking)
        {
            link.IsReady = false;
            hasMoved |= link.Wake();
        }

        _waking.Clear();
        return hasMoved;
    }

    private void ThrowIfFailed()
    {
        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            failure.Throw();
        }
    }

    private string? Unfinished()
    {
        List<string> found = [];

        foreach ((SequenceClient client, HostedLink link, Task work) in _bodies)
        {
            if (!work.IsCompleted)
            {
                found.Add(link.IsWaiting
                    ? WhoBlocks(client.Name)?.ToString() ?? $"{client.Name} waits for the start of the run."
                    : $"{client.Name} awaits something else than its client or the host's clock.");
            }
        }

        return found.Count > 0 ? string.Join(Environment.NewLine, found) : null;
    }
}

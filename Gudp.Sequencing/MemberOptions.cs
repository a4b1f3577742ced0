using System;
using System.Collections.Generic;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing;

/// <summary>
/// What a member says about itself when it joins: its declaration, which must equal the one in the server's roster, and how
/// it joins. <see cref="From(SequencingConfig, string)"/> makes it from the same configuration as the server's.
/// </summary>
/// <remarks>
/// What members do not see of a declaration (<see cref="MemberDeclaration.CrashPolicy"/>,
/// <see cref="MemberDeclaration.InboxLimit"/>, <see cref="MemberDeclaration.Paced"/>) is the server's alone and not said.
/// <see cref="MemberDeclaration.Policies"/> are said with those of the channels included, which From knows.
/// </remarks>
public sealed class MemberOptions : MemberDeclaration
{
    /// <summary>Options of a member with a declaration of its own.</summary>
    /// <param name="name">The member's name in the roster.</param>
    public MemberOptions(string name)
        : base(name)
    {
    }

    /// <summary>Options of a member that is declared already.</summary>
    /// <param name="declaration">Its lists are shared, not copied. Other options give what they say of the join, too.</param>
    public MemberOptions(MemberDeclaration declaration)
        : base(declaration)
    {
        if (declaration is MemberOptions other)
        {
            RunId = other.RunId;
            ConfigHash = other.ConfigHash;
            Observes = other.Observes;
            JoinEarliest = other.JoinEarliest;
            History = other.History;
            ResumeFor = other.ResumeFor;
            Recording = other.Recording;
            MaxBatchBytes = other.MaxBatchBytes;
            IsDebugged = other.IsDebugged;
            Clock = other.Clock;
        }
    }

    /// <inheritdoc cref="SequencingConfig.RunId"/>
    public UInt128 RunId { get; init; }

    /// <summary>
    /// <see cref="SequencingConfig.ComputeHash"/> of the configuration the member was built for; another one at the
    /// server is <see cref="SequencingError.ConfigMismatch"/>. 0, the default: the server's is taken on trust, and only
    /// the member's own declaration is compared.
    /// </summary>
    public ulong ConfigHash { get; init; }

    /// <summary>
    /// Whether it only reads, without being in the roster: it holds nobody, and one more changes nothing for anybody. It
    /// joins where the run is, or at <see cref="MemberDeclaration.Join"/> if that is after (0,0). Where others may take up
    /// sending late it sees nothing beyond what was published. A lost connection is taken up again within
    /// <see cref="ResumeFor"/>, if the server has kept its place that long; there are no tickets. Default no.
    /// </summary>
    public bool Observes { get; init; }

    /// <summary>
    /// Whether it comes in, without being in the roster, at the smallest tag possible; needs
    /// <see cref="SequencingConfig.AdmitsEarliest"/>. Default no.
    /// </summary>
    public bool JoinEarliest { get; init; }

    /// <summary>What of the past a member that joins late, or an observer, wants. Default nothing.</summary>
    public HistoryStart History { get; init; }

    /// <summary>
    /// How long a client tries to take its session up again after the connection was lost. Default 30 s; zero: a lost
    /// connection ends the client. Meanwhile the run waits, or goes on without the member, as its
    /// <see cref="MemberDeclaration.CrashPolicy"/> says; a member that was taken out gets
    /// <see cref="SequencingError.StaleEpoch"/>.
    /// </summary>
    public TimeSpan ResumeFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Most bytes of one batch, 64 for each message included; a server that sends more ends the client with
    /// <see cref="SequencingError.TooLarge"/>, whatever it says of itself. Default 512 MiB; 1 or more. <c>From</c> sets twice
    /// the run's <see cref="SequencingConfig.MaxInboxBytes"/>, since duplicates of a channel's model come on top of that.
    /// </summary>
    public long MaxBatchBytes { get; init; } = 512L << 20;

    /// <summary>Whether a debugger may stop this process now; asked whenever the client sends.</summary>
    internal Func<bool> IsDebugged { get; init; } = () => System.Diagnostics.Debugger.IsAttached;

    /// <summary>
    /// Where the member records what it is granted and given, for itself alone (docs/protocol/record.md). Default null:
    /// nowhere. One recording is for one client: that of a process that resumes begins with its first grant there.
    /// </summary>
    public RunRecording? Recording { get; init; }

    /// <summary>Measures <see cref="ResumeFor"/>; nothing in the run depends on it.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The options of one member of a configuration, its hash included.</summary>
    /// <exception cref="Gudp.Core.GudpConfigException">
    /// The configuration breaks a rule; all mistakes are listed.
    /// </exception>
    /// <exception cref="ArgumentException">The roster has no such member.</exception>
    public static MemberOptions From(SequencingConfig config, string name)
    {
        ArgumentNullException.ThrowIfNull(config);
        return From(config, name, config.ComputeHash());
    }

    /// <summary>The same with a hash that is known already: computing it takes time on a large roster.</summary>
    internal static MemberOptions From(SequencingConfig config, string name, ulong configHash)
    {
        foreach (MemberDeclaration declaration in config.Roster)
        {
            if (declaration.Name == name)
            {
                return new MemberOptions(declaration)
                {
                    Policies = RunLayout.PoliciesOf(declaration, config.Channels),
                    RunId = config.RunId,
                    ConfigHash = configHash,
                    MaxBatchBytes = 2 * config.MaxInboxBytes,
                };
            }
        }

        throw new ArgumentException(
            $"The roster has no member \"{name}\"; add it or use one of its names.", nameof(name));
    }

    /// <summary>What a ticket holds, and from a process's own options what it does not.</summary>
    /// <exception cref="ArgumentException">They are another member's.</exception>
    internal static MemberOptions From(ResumeTicket ticket, MemberOptions? own)
    {
        MemberOptions said = From(ticket.Hello);

        if (own is null)
        {
            return said;
        }

        if (own.Name != said.Name)
        {
            throw new ArgumentException(
                $"The options are those of \"{own.Name}\", the ticket is that of \"{said.Name}\".", nameof(own));
        }

        return new MemberOptions(said)
        {
            ResumeFor = own.ResumeFor,
            Recording = own.Recording,
            MaxBatchBytes = own.MaxBatchBytes,
            IsDebugged = own.IsDebugged,
            Clock = own.Clock,
        };
    }

    /// <summary>What a hello said.</summary>
    internal static MemberOptions From(Wire.HelloFrame hello)
    {
        List<string> publish = [];
        List<string> subscribe = [];
        List<string> quietly = [];

        Dictionary<string, BufferPolicy> policies = [];

        foreach ((string name, Wire.InterestBits bits, BufferPolicy policy) in hello.Interests)
        {
            if (!policy.KeepsAll)
            {
                policies[name] = policy;
            }

            if (bits.HasFlag(Wire.InterestBits.Publish))
            {
                publish.Add(name);
            }

            if (bits.HasFlag(Wire.InterestBits.Subscribe))
            {
                (bits.HasFlag(Wire.InterestBits.Wake) ? subscribe : quietly).Add(name);
            }
        }

        return new MemberOptions(hello.Name)
        {
            Sends = (hello.Flags & Wire.RoleBits.Sends) != 0,
            Receives = (hello.Flags & Wire.RoleBits.Receives) != 0,
            MayStop = (hello.Flags & Wire.RoleBits.MayStop) != 0,
            MaySponsor = (hello.Flags & Wire.RoleBits.MaySponsor) != 0,
            MayPeek = (hello.Flags & Wire.RoleBits.MayPeek) != 0,
            Lookahead = hello.Lookahead,
            Publish = publish,
            Subscribe = subscribe,
            SubscribeQuietly = quietly,
            Policies = policies,
            Join = hello.JoinTag,
            RunId = hello.RunId,
            ConfigHash = hello.ConfigHash,
            History = hello.From,
            Observes = hello.Observes,
        };
    }
}

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing;

/// <summary>What a member says about itself when it joins; must equal its declaration in the server's roster.</summary>
/// <param name="name">The member's name in the roster.</param>
public sealed class MemberOptions(string name)
{
    private readonly bool? _sends;
    private readonly bool? _receives;
    private readonly Delay? _lookahead;

    /// <summary>The member's name in the roster.</summary>
    public string Name { get; } = name;

    /// <inheritdoc cref="MemberDeclaration.Sends"/>
    public bool Sends
    {
        get => _sends ?? Publish.Count > 0;
        init => _sends = value;
    }

    /// <inheritdoc cref="MemberDeclaration.Receives"/>
    public bool Receives
    {
        get => _receives ?? (Subscribe.Count > 0 || SubscribeQuietly.Count > 0);
        init => _receives = value;
    }

    /// <inheritdoc cref="MemberDeclaration.Lookahead"/>
    public Delay Lookahead
    {
        get => _lookahead ?? Delay.OneRound;
        init => _lookahead = value;
    }

    /// <inheritdoc cref="MemberDeclaration.Publish"/>
    public IList<string> Publish { get; init; } = [];

    /// <inheritdoc cref="MemberDeclaration.Subscribe"/>
    public IList<string> Subscribe { get; init; } = [];

    /// <inheritdoc cref="MemberDeclaration.SubscribeQuietly"/>
    public IList<string> SubscribeQuietly { get; init; } = [];

    /// <summary>
    /// What of a batch its subscriptions keep, by channel; as the server's configuration says it, those of its channels
    /// included (<see cref="From(SequencingConfig, string)"/> knows them).
    /// </summary>
    public IDictionary<string, BufferPolicy> Policies { get; init; } = new Dictionary<string, BufferPolicy>();

    /// <inheritdoc cref="MemberDeclaration.MayStop"/>
    public bool MayStop { get; init; }

    /// <inheritdoc cref="MemberDeclaration.MaySponsor"/>
    public bool MaySponsor { get; init; }

    /// <inheritdoc cref="MemberDeclaration.Join"/>
    public Tag Join { get; init; }

    /// <inheritdoc cref="MemberDeclaration.MayPeek"/>
    public bool MayPeek { get; init; }

    /// <inheritdoc cref="SequencingConfig.RunId"/>
    public UInt128 RunId { get; init; }

    /// <summary>
    /// <see cref="SequencingConfig.ComputeHash"/> of the configuration the member was built for; another one at the
    /// server is <see cref="SequencingError.ConfigMismatch"/>. 0, the default: the server's is taken on trust, and only
    /// the member's own declaration is compared.
    /// </summary>
    public ulong ConfigHash { get; init; }

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

    /// <summary>Whether a debugger may stop this process now; asked whenever the client sends.</summary>
    internal Func<bool> IsDebugged { get; init; } = () => System.Diagnostics.Debugger.IsAttached;

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
                return new MemberOptions(name)
                {
                    Sends = declaration.Sends,
                    Receives = declaration.Receives,
                    Lookahead = declaration.Lookahead,
                    Publish = declaration.Publish,
                    Subscribe = declaration.Subscribe,
                    SubscribeQuietly = declaration.SubscribeQuietly,
                    Policies = RunLayout.PoliciesOf(declaration, config.Channels),
                    MayStop = declaration.MayStop,
                    MaySponsor = declaration.MaySponsor,
                    Join = declaration.Join,
                    MayPeek = declaration.MayPeek,
                    RunId = config.RunId,
                    ConfigHash = configHash,
                };
            }
        }

        throw new ArgumentException(
            $"The roster has no member \"{name}\"; add it or use one of its names.", nameof(name));
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
        };
    }

    internal MemberDeclaration ToDeclaration() => new(Name)
    {
        Sends = Sends,
        Receives = Receives,
        Lookahead = Lookahead,
        Publish = Publish,
        Subscribe = Subscribe,
        SubscribeQuietly = SubscribeQuietly,
        Policies = Policies,
        MayStop = MayStop,
        MaySponsor = MaySponsor,
        Join = Join,
        MayPeek = MayPeek,
    };
}

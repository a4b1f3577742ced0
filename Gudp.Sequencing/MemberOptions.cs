using System;
using System.Collections.Generic;

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

    /// <inheritdoc cref="SequencingConfig.RunId"/>
    public UInt128 RunId { get; init; }

    /// <summary>
    /// <see cref="SequencingConfig.ComputeHash"/> of the configuration the member was built for; another one at the
    /// server is <see cref="SequencingError.ConfigMismatch"/>. 0, the default: the server's is taken on trust, and only
    /// the member's own declaration is compared.
    /// </summary>
    public ulong ConfigHash { get; init; }

    /// <summary>The options of one member of a configuration, its hash included.</summary>
    /// <exception cref="Gudp.Core.GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
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
                    RunId = config.RunId,
                    ConfigHash = configHash,
                };
            }
        }

        throw new ArgumentException(
            $"The roster has no member \"{name}\"; add it or use one of its names.", nameof(name));
    }

    internal MemberDeclaration ToDeclaration() => new(Name)
    {
        Sends = Sends,
        Receives = Receives,
        Lookahead = Lookahead,
        Publish = Publish,
        Subscribe = Subscribe,
        SubscribeQuietly = SubscribeQuietly,
    };
}

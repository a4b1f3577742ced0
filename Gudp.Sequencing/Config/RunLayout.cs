// A run's configuration, checked and compiled: members by ordinal, channels by index, edges, and the hash that seeds
// every digest. Nothing here changes once made.

using System;
using System.Collections.Generic;
using System.Text;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Config;

/// <summary>One channel as one member uses it; its place in the member's list is its wire id (clause ).</summary>
internal readonly record struct Interest(int Channel, string Name, InterestBits Bits)
{
    /// <summary>What it keeps of a batch.</summary>
    internal BufferPolicy Policy { get; init; }
}

internal sealed record MemberLayout(
    string Name, bool Sends, bool Receives, Delay Lookahead, CrashPolicy CrashPolicy, Interest[] Interests)
{
    /// <summary>It may end the run for everybody (lock-time 12).</summary>
    internal bool MayStop { get; init; }

    /// <summary>It may admit others (lock-time 8.2).</summary>
    internal bool MaySponsor { get; init; }

    /// <summary>J: the tag of its first grant.</summary>
    internal Tag Join { get; init; }

    /// <summary>More than this keeps those who feed it back (lock-time 15).</summary>
    internal InboxLimit InboxLimit { get; init; }

    /// <summary>Its grants wait for the wall (lock-time 13).</summary>
    internal bool IsPaced { get; init; }

    /// <summary>It may look into its inbox, and so is not deterministic (lock-time 3.4).</summary>
    internal bool MayPeek { get; init; }

    /// <summary>The flags of its Hello.</summary>
    internal ulong RoleBits { get; init; }
}

/// <summary>When the wall lets a grant pass.</summary>
internal readonly record struct PacingPlan(double Pace, TimeSpan TickLength, LatePolicy WhenLate)
{
    internal bool IsSet => Pace > 0;
}

internal sealed record ChannelLayout(string Name, ChannelModel Model)
{
    internal ulong Key => Model.Key;

    /// <summary>A channel that no declaration names.</summary>
    internal static ChannelLayout Default(string name)
        => new(name, new ChannelDeclaration(name).Compile(Digest.ChannelKey(name)));

    /// <summary>The link of lock-time 3.1: no message is on its way for less.</summary>
    internal Delay MinimumLatency => Model.Latency.Minimum;

    /// <summary>What the log keeps of it.</summary>
    internal Retention Retention { get; init; } = Retention.Default;
}

internal sealed class RunLayout
{
    internal const int ProtocolVersion = 1;

    /// <summary>
    /// A batch leaves in pieces of about this size, at most one payload more: large enough that the frame heads do not
    /// matter, small enough that a member takes the first messages while the server still writes the last.
    /// </summary>
    internal const int DeliverBytes = 64 * 1024;

    // Of a message: the heads of its frames; of a roster entry in the start message: all but its name.
    private const int MessageHeadBytes = 4 * 1024;
    private const int RosterEntryBytes = 64;

    internal RunLayout(SequencingConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        SequencingRules.Check(config);

        RunId = config.RunId;
        MaxRounds = config.MaxRounds;
        MaxPayloadBytes = config.MaxPayloadBytes;
        MaxInboxBytes = config.MaxInboxBytes;
        StopTag = config.StopTag;
        AdmitsEarliest = config.AdmitsEarliest;
        MaxObservers = config.MaxObservers;
        DefaultInboxLimit = config.InboxLimit;
        HealthLimit = config.HealthLimit;
        Operators = config.Operators;
        StartsOnCommand = config.StartsOnCommand;
        Pacing = new PacingPlan(config.Pace, config.TickLength, config.WhenLate);

        ChannelDeclaration[] channels = NameChannels(config);
        Seed = config.Seed;
        TieSeed = config.TieSeed;
        MemberDeclaration[] roster = [.. config.Roster];
        Array.Sort(roster, (left, right) => CompareNames(left.Name, right.Name));
        Members = Array.ConvertAll(roster, declaration => LayOut(declaration, channels, config.InboxLimit));
        Channels = Array.ConvertAll(
            channels,
            channel => new ChannelLayout(channel.Name, channel.Compile(Digest.ChannelKey(channel.Name)))
            {
                Retention = channel.CompileRetention(),
            });
        SnapshotBytes = config.SnapshotBytes;
        LogLimits = new LogLimits(config.LogBytes, config.LogMessages);

        ConfigHash = XxHash64.Hash(0, Encode());
        SettingsHash = XxHash64.Hash(0, SettingsEncoding.Encode(config, roster));
    }

    internal UInt128 RunId { get; }
    internal uint MaxRounds { get; }
    internal int MaxPayloadBytes { get; }
    internal long MaxInboxBytes { get; }

    /// <summary>Members may come in besides the roster (lock-time 8.2).</summary>
    internal bool AdmitsEarliest { get; }

    /// <summary>Readers beside the members (lock-time 8.2).</summary>
    internal int MaxObservers { get; }

    /// <summary>Of members that declare none.</summary>
    internal InboxLimit DefaultInboxLimit { get; }
    internal MemberLayout[] Members { get; }
    internal ChannelLayout[] Channels { get; }

    internal TimeSpan HealthLimit { get; }
    internal OperatorAccess Operators { get; }
    internal bool StartsOnCommand { get; }
    internal PacingPlan Pacing { get; }

    /// <summary>What is kept of snapshots.</summary>
    internal long SnapshotBytes { get; }

    /// <summary>What the log keeps of the whole run.</summary>
    internal LogLimits LogLimits { get; }

    /// <summary>Where the run ends for everybody; null: when all have resigned.</summary>
    internal Tag? StopTag { get; }

    /// <summary>No message of the server to a member is longer.</summary>
    internal int LargestMessageBytes => MessageHeadBytes
        + Math.Max(DeliverBytes + MaxPayloadBytes, Members.Length * (RosterEntryBytes + SequencingRules.MaxNameBytes));

    /// <summary>Over all that members can see (lock-time 8.1, clause Q-5).</summary>
    internal ulong ConfigHash { get; init; }

    /// <summary>Over the rest (lock-time 8.1, clause ).</summary>
    internal ulong SettingsHash { get; }

    /// <summary>What the simulated network is drawn from (lock-time 17).</summary>
    internal ulong Seed { get; }

    /// <summary>How messages of one arrival are reshuffled; null: not at all (lock-time 7.1).</summary>
    internal ulong? TieSeed { get; }

    internal int OrdinalOf(string name) => Array.FindIndex(Members, member => member.Name == name);

    /// <summary>The interests of a declaration, sorted by name; what Hello lists.</summary>
    internal static DeclaredInterest[] InterestsOf(MemberDeclaration declaration)
    {
        Dictionary<string, InterestBits> found = [];

        void Add(IList<string> names, InterestBits bits)
        {
            foreach (string name in names)
            {
                found[name] = found.GetValueOrDefault(name) | bits;
            }
        }

        Add(declaration.MaySponsor ? [SystemEvent.Channel] : [], InterestBits.Publish);
        Add(declaration.Publish, InterestBits.Publish);
        Add(declaration.Subscribe, InterestBits.Subscribe | InterestBits.Wake);
        Add(declaration.SubscribeQuietly, InterestBits.Subscribe);

        List<DeclaredInterest> sorted = [];

        foreach ((string name, InterestBits bits) in found)
        {
            sorted.Add(new DeclaredInterest(
                name, bits, declaration.Policies.TryGetValue(name, out BufferPolicy policy) ? policy : default));
        }

        sorted.Sort((left, right) => CompareNames(left.Name, right.Name));
        return [.. sorted];
    }

    /// <summary>The policies of a member's subscriptions: its own, and those of the channels.</summary>
    internal static Dictionary<string, BufferPolicy> PoliciesOf(
        MemberDeclaration declaration, IEnumerable<ChannelDeclaration> channels)
    {
        Dictionary<string, BufferPolicy> policies = [];

        foreach (ChannelDeclaration channel in channels)
        {
            bool isHeard = declaration.Subscribe.Contains(channel.Name)
                || declaration.SubscribeQuietly.Contains(channel.Name);

            if (isHeard && !channel.Policy.KeepsAll)
            {
                policies[channel.Name] = channel.Policy;
            }
        }

        foreach ((string name, BufferPolicy policy) in declaration.Policies)
        {
            policies[name] = policy;
        }

        return policies;
    }

    /// <summary>Order of UTF-8 bytes, which is not the order of .NET's UTF-16 (lock-time 7.2).</summary>
    internal static int CompareNames(string left, string right)
    {
        int common = left.AsSpan().CommonPrefixLength(right);
        return common < left.Length && common < right.Length
            ? PlaceOf(left[common]).CompareTo(PlaceOf(right[common]))
            : left.Length.CompareTo(right.Length);
    }

    // Halves of characters beyond U+FFFF come after all others.
    private static int PlaceOf(char unit) => char.IsSurrogate(unit) ? unit + char.MaxValue : unit;

    private static MemberLayout LayOut(
        MemberDeclaration declaration, ChannelDeclaration[] channels, InboxLimit inboxLimit)
    {
        Dictionary<string, BufferPolicy> policies = PoliciesOf(declaration, channels);
        Interest[] interests = Array.ConvertAll(
            InterestsOf(declaration),
            entry => new Interest(
                Array.FindIndex(channels, channel => channel.Name == entry.Name), entry.Name, entry.Bits)
            {
                Policy = policies.TryGetValue(entry.Name, out BufferPolicy policy) ? policy : default,
            });

        return new MemberLayout(
            declaration.Name, declaration.Sends, declaration.Receives, declaration.Lookahead,
            declaration.CrashPolicy, interests)
        {
            MayStop = declaration.MayStop,
            MaySponsor = declaration.MaySponsor,
            Join = declaration.Join,
            RoleBits = RoleBits.Of(declaration),
            InboxLimit = declaration.InboxLimit ?? inboxLimit,
            IsPaced = declaration.Paced,
            MayPeek = declaration.MayPeek,
        };
    }

    /// <summary>Declared channels and those that members only name, sorted by name.</summary>
    private static ChannelDeclaration[] NameChannels(SequencingConfig config)
    {
        Dictionary<string, ChannelDeclaration> found = [];

        foreach (MemberDeclaration member in config.Roster)
        {
            foreach (DeclaredInterest interest in InterestsOf(member))
            {
                found[interest.Name] = new ChannelDeclaration(interest.Name);
            }
        }

        foreach (ChannelDeclaration channel in config.Channels)
        {
            found[channel.Name] = channel;
        }

        ChannelDeclaration[] channels = [.. found.Values];
        Array.Sort(channels, (left, right) => CompareNames(left.Name, right.Name));
        return channels;
    }

    private ReadOnlySpan<byte> Encode()
    {
        FrameWriter writer = new();
        writer.WriteBytes("gudp-cfg/1"u8);
        writer.WriteByte(0);
        writer.WriteNumber(ProtocolVersion);
        writer.WriteNumber(MaxRounds);
        writer.WriteNumber((ulong)MaxPayloadBytes);
        writer.WriteNumber((ulong)Members.Length);

        foreach (MemberLayout member in Members)
        {
            writer.WriteText(member.Name);
            writer.WriteNumber(member.RoleBits);
            writer.WriteDelay(member.Lookahead);
            writer.WriteTag(member.Join);
            writer.WriteNumber((ulong)member.Interests.Length);

            foreach (Interest interest in member.Interests)
            {
                writer.WriteText(interest.Name);
                writer.WriteNumber((ulong)interest.Bits);
                writer.WriteNumber(interest.Policy.Number);
            }
        }

        writer.WriteNumber((ulong)Channels.Length);

        foreach (ChannelLayout channel in Channels)
        {
            writer.WriteText(channel.Name);
            channel.Model.Write(writer);
        }

        writer.WriteByte(StopTag is null ? (byte)0 : (byte)1);

        if (StopTag is Tag stop)
        {
            writer.WriteTag(stop);
        }

        return writer.Written;
    }
}

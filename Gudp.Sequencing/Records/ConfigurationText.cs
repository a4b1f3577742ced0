using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Records;

/// <summary>
/// A configuration as lines of <c>key = value</c> in one order, whatever the order of the declarations: what a run
/// record holds of it (clause ).
/// </summary>
internal static class ConfigurationText
{
    internal static string Of(SequencingConfig config)
    {
        StringBuilder text = new();
        Add(text, "run id", config.RunId.ToString("x32", CultureInfo.InvariantCulture));
        Add(text, "max rounds", Number(config.MaxRounds));
        Add(text, "max payload bytes", Number(config.MaxPayloadBytes));
        Add(text, "max inbox bytes", Number(config.MaxInboxBytes));
        Add(text, "stop tag", config.StopTag is { } stop ? stop.ToString() : "none");
        Add(text, "seed", config.Seed.ToString(CultureInfo.InvariantCulture));
        Add(text, "tie seed", config.TieSeed is { } ties ? ties.ToString(CultureInfo.InvariantCulture) : "none");
        Add(text, "log bytes", Number(config.LogBytes));
        Add(text, "log messages", Number(config.LogMessages));
        Add(text, "snapshot bytes", Number(config.SnapshotBytes));
        Add(text, "inbox limit", Limit(config.InboxLimit));
        Add(text, "health limit", config.HealthLimit.ToString("c", CultureInfo.InvariantCulture));
        Add(text, "operators", config.Operators.ToString());
        Add(text, "starts on command", YesNo(config.StartsOnCommand));
        Add(text, "admits earliest", YesNo(config.AdmitsEarliest));
        Add(text, "max observers", Number(config.MaxObservers));
        Add(text, "pace", config.Pace.ToString(CultureInfo.InvariantCulture));
        Add(text, "tick length", config.TickLength.ToString("c", CultureInfo.InvariantCulture));
        Add(text, "when late", config.WhenLate.ToString());

        MemberDeclaration[] members = [.. config.Roster];
        Array.Sort(members, (left, right) => RunLayout.CompareNames(left.Name, right.Name));

        foreach (MemberDeclaration member in members)
        {
            AddMember(text, member);
        }

        ChannelDeclaration[] channels = [.. config.Channels];
        Array.Sort(channels, (left, right) => RunLayout.CompareNames(left.Name, right.Name));

        foreach (ChannelDeclaration channel in channels)
        {
            AddChannel(text, channel);
        }

        return text.ToString();
    }

    private static void AddChannel(StringBuilder text, ChannelDeclaration channel)
    {
        string name = $"channel {Quoted(channel.Name)}";
        Add(text, $"{name} minimum latency", channel.MinimumLatency.ToString());
        Add(text, $"{name} latency", Latency(channel.Latency));
        Add(text, $"{name} scatter", YesNo(channel.Scatter));
        Add(text, $"{name} sender loss ppm", Number(channel.SenderLossPpm));
        Add(text, $"{name} receiver loss ppm", Number(channel.ReceiverLossPpm));
        Add(text, $"{name} sender duplicate ppm", Number(channel.SenderDuplicatePpm));
        Add(text, $"{name} receiver duplicate ppm", Number(channel.ReceiverDuplicatePpm));
        Add(text, $"{name} policy", channel.Policy.ToString());
        Add(text, $"{name} history", channel.History.ToString());
        Add(text, $"{name} history bytes", channel.HistoryBytes is { } bytes ? Number(bytes) : "all");
        Add(text, $"{name} history ticks", channel.HistoryTicks is { } ticks ? Number(ticks) : "all");
    }

    // A table has more rows than a line can hold: its range for people, and the hash of all of it.
    private static string Latency(LatencyModel model)
    {
        if (!model.IsTable)
        {
            return model.ToString();
        }

        FrameWriter whole = new();
        model.Write(whole);
        return string.Create(CultureInfo.InvariantCulture, $"{model}, hash {XxHash64.Hash(0, whole.Written):x16}");
    }

    private static void AddMember(StringBuilder text, MemberDeclaration member)
    {
        string name = $"member {Quoted(member.Name)}";
        Add(text, $"{name} sends", YesNo(member.Sends));
        Add(text, $"{name} receives", YesNo(member.Receives));
        Add(text, $"{name} may stop", YesNo(member.MayStop));
        Add(text, $"{name} may sponsor", YesNo(member.MaySponsor));
        Add(text, $"{name} join", member.Join.ToString());
        Add(text, $"{name} may peek", YesNo(member.MayPeek));
        Add(text, $"{name} lookahead", member.Lookahead.ToString());
        Add(text, $"{name} crash policy", member.CrashPolicy.ToString());
        Add(text, $"{name} inbox limit", member.InboxLimit is { } own ? Limit(own) : "the run's");
        Add(text, $"{name} paced", YesNo(member.Paced));
        Add(text, $"{name} policies", Policies(member.Policies));
        AddNames(text, $"{name} publishes", member.Publish);
        AddNames(text, $"{name} subscribes", member.Subscribe);
        AddNames(text, $"{name} subscribes quietly", member.SubscribeQuietly);
    }

    private static void AddNames(StringBuilder text, string key, IList<string> names)
    {
        string[] sorted = [.. names];
        Array.Sort(sorted, RunLayout.CompareNames);

        if (sorted.Length > 0)
        {
            Add(text, key, string.Join(' ', Array.ConvertAll(sorted, Quoted)));
        }
    }

    private static string Policies(IDictionary<string, BufferPolicy> policies)
    {
        string[] sorted = [.. policies.Keys];
        Array.Sort(sorted, RunLayout.CompareNames);

        return sorted.Length == 0
            ? "the channels'"
            : string.Join(", ", Array.ConvertAll(sorted, name => $"{Quoted(name)} {policies[name]}"));
    }

    private static void Add(StringBuilder text, string key, string value)
        => text.Append(key).Append(" = ").Append(value).Append('\n');

    // Names may hold anything, a line break included.
    private static string Quoted(string name) => $"\"{JsonEncodedText.Encode(name)}\"";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Limit(InboxLimit limit)
        => string.Create(CultureInfo.InvariantCulture, $"{limit.Messages} messages, {limit.Bytes} bytes");

    private static string YesNo(bool value) => value ? "yes" : "no";
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gudp.Sequencing.Config;

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
            Add(text, $"channel {Quoted(channel.Name)} minimum latency", channel.MinimumLatency.ToString());
        }

        return text.ToString();
    }

    private static void AddMember(StringBuilder text, MemberDeclaration member)
    {
        string name = $"member {Quoted(member.Name)}";
        Add(text, $"{name} sends", YesNo(member.Sends));
        Add(text, $"{name} receives", YesNo(member.Receives));
        Add(text, $"{name} may stop", YesNo(member.MayStop));
        Add(text, $"{name} lookahead", member.Lookahead.ToString());
        Add(text, $"{name} crash policy", member.CrashPolicy.ToString());
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

    private static void Add(StringBuilder text, string key, string value)
        => text.Append(key).Append(" = ").Append(value).Append('\n');

    // Names may hold anything, a line break included.
    private static string Quoted(string name) => $"\"{JsonEncodedText.Encode(name)}\"";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string YesNo(bool value) => value ? "yes" : "no";
}

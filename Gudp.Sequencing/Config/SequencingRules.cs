using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Gudp.Core;

namespace Gudp.Sequencing.Config;

/// <summary>What a run's configuration must keep; every mistake is found in one pass.</summary>
internal static class SequencingRules
{
    internal const int MaxMembers = 4_096;

    /// <summary>Channels one member may name.</summary>
    internal const int MaxInterests = 65_536;

    /// <summary>Channels of a run beyond which nobody comes in who names more; a roster may have as many as it names.</summary>
    internal const int MaxChannels = 65_536;

    internal const int MaxNameBytes = 255;

    internal const long LargestLogBytes = 1L << 40;

    private const double LeastPace = 0.000_001;
    private const double LargestPace = 1_000_000;
    private const uint LargestMaxRounds = 1_000_000_000;
    private const int LeastInboxSlackBytes = 64 * 1024;
    private const long LargestInboxBytes = 1L << 40;
    private const int LargestLogMessages = 100_000_000;
    private const long LargestTicks = 1L << 60;

    private static readonly UTF8Encoding Strict = new(false, true);

    /// <exception cref="GudpConfigException">Lists every mistake.</exception>
    internal static void Check(SequencingConfig config)
    {
        ConfigErrors errors = new();
        CheckRange(errors, "Roster.Count", config.Roster.Count, 1, MaxMembers, "a run needs somebody");
        CheckRange(errors, "MaxRounds", config.MaxRounds, 1, LargestMaxRounds, "rounds have 32 bits");
        CheckRange(
            errors, "MaxPayloadBytes", config.MaxPayloadBytes, 1, SequencingConfig.LargestPayloadBytes,
            "a payload travels in one message");
        CheckRange(
            errors, "MaxInboxBytes", config.MaxInboxBytes, (long)config.MaxPayloadBytes + LeastInboxSlackBytes,
            LargestInboxBytes, "the largest payload must fit");
        CheckRange(errors, "LogBytes", config.LogBytes, 0, LargestLogBytes, "memory is finite");
        CheckRange(errors, "SnapshotBytes", config.SnapshotBytes, 0, LargestLogBytes, "memory is finite");
        CheckRange(errors, "MaxObservers", config.MaxObservers, 0, MaxMembers, "each has an inbox");
        CheckRange(errors, "LogMessages", config.LogMessages, 0, LargestLogMessages, "memory is finite");

        if (config.StopTag is Tag stop && (stop <= Tag.Zero || stop.IsInfinite))
        {
            errors.Add("StopTag", $"{stop}", "null, or a tag after 0 and below infinity", "the run ends there");
        }

        CheckWatching(errors, config);
        CheckInboxLimit(errors, "InboxLimit", config.InboxLimit);

        // One mistake there is not one in every delay.
        uint maxRounds = Math.Max(config.MaxRounds, Delay.OneRound.Round);
        HashSet<string> members = [];
        HashSet<string> channels = [];

        for (int i = 0; i < config.Roster.Count; i++)
        {
            CheckMember(errors.Under($"Roster[{i}]"), config.Roster[i], members, maxRounds);
        }

        for (int i = 0; i < config.Channels.Count; i++)
        {
            ConfigErrors under = errors.Under($"Channels[{i}]");
            ChannelDeclaration channel = config.Channels[i];
            CheckName(under, "Name", channel.Name, channels);
            ChannelRules.Check(under, channel, maxRounds);
        }

        errors.ThrowIfAny(nameof(SequencingConfig));
    }

    private static void CheckWatching(ConfigErrors errors, SequencingConfig config)
    {
        CheckSpan(errors, "HealthLimit", config.HealthLimit, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        CheckSpan(errors, "TickLength", config.TickLength, TimeSpan.FromTicks(1), TimeSpan.FromDays(1));

        if (config.Pace != 0 && !(config.Pace >= LeastPace && config.Pace <= LargestPace))
        {
            errors.Add(
                "Pace", config.Pace.ToString(CultureInfo.InvariantCulture), "0, or 0.000001 to 1000000",
                "the wall's moments must fit");
        }

        if (!Enum.IsDefined(config.Operators))
        {
            errors.Add("Operators", $"{config.Operators}", "None, Loopback or All", "somebody may or may not");
        }

        if (!Enum.IsDefined(config.WhenLate))
        {
            errors.Add("WhenLate", $"{config.WhenLate}", "CatchUp or Slip", "late grants must have an effect");
        }
    }

    private static void CheckInboxLimit(ConfigErrors errors, string path, InboxLimit limit)
    {
        CheckRange(errors, path + ".Messages", limit.Messages, 1, LargestTicks, "a receiver must be fed");
        CheckRange(errors, path + ".Bytes", limit.Bytes, 1, LargestInboxBytes, "a receiver must be fed");
    }

    private static void CheckSpan(ConfigErrors errors, string path, TimeSpan span, TimeSpan least, TimeSpan most)
    {
        if (span < least || span > most)
        {
            errors.Add(path, $"{span}", $"{least} to {most}", "a span of the wall's time");
        }
    }

    private static void CheckMember(
        ConfigErrors errors, MemberDeclaration member, HashSet<string> taken, uint maxRounds)
    {
        CheckName(errors, "Name", member.Name, taken);
        CheckDelay(errors, "Lookahead", member.Lookahead, Delay.OneRound, maxRounds);
        CheckChannels(errors, "Publish", member.Publish);
        CheckChannels(errors, "Subscribe", member.Subscribe);
        CheckChannels(errors, "SubscribeQuietly", member.SubscribeQuietly);

        foreach (string name in member.Policies.Keys)
        {
            if (!member.Subscribe.Contains(name) && !member.SubscribeQuietly.Contains(name))
            {
                errors.Add("Policies", $"\"{name}\"", "a channel it subscribes to", "a policy is of a subscription");
            }
        }

        int interests = member.Publish.Count + member.Subscribe.Count + member.SubscribeQuietly.Count;
        CheckRange(errors, "Publish and Subscribe", interests, 0, MaxInterests, "a hello lists them all");

        if (member.MayStop && !member.Sends)
        {
            errors.Add("MayStop", "true", "false unless the member sends", "who may stop a run holds others as a sender");
        }

        if (member.InboxLimit is InboxLimit limit)
        {
            CheckInboxLimit(errors, "InboxLimit", limit);
        }

        if (member.MaySponsor && !member.Sends)
        {
            errors.Add("MaySponsor", "true", "false unless the member sends", "who may admit others holds as a sender");
        }

        if (member.Publish.Contains(SystemEvent.Channel))
        {
            errors.Add("Publish", SystemEvent.Channel, "another name", "only a sponsor's admissions go there");
        }

        if (member.Join < Tag.Zero || member.Join.IsInfinite || member.Join.Time > LargestTicks)
        {
            errors.Add("Join", $"{member.Join}", "0 to 2^60", "a run starts at 0, and sums must fit");
        }

        if (!Enum.IsDefined(member.CrashPolicy))
        {
            errors.Add("CrashPolicy", $"{member.CrashPolicy}", "Stall, Resign or Abort", "a loss must have an effect");
        }
    }

    private static void CheckChannels(ConfigErrors errors, string name, IList<string> channels)
    {
        for (int i = 0; i < channels.Count; i++)
        {
            CheckName(errors, $"{name}[{i}]", channels[i], null);
        }
    }

    private static void CheckName(ConfigErrors errors, string path, string name, HashSet<string>? taken)
    {
        int bytes = name is null ? 0 : CountBytes(name);

        if (bytes is < 1 or > MaxNameBytes)
        {
            errors.Add(
                path, name is null ? "null" : $"\"{name}\"", $"valid Unicode of 1 to {MaxNameBytes} UTF-8 bytes",
                "names travel, and members are numbered by theirs");
        }
        else if (taken is not null && !taken.Add(name!))
        {
            errors.Add(path, $"\"{name}\"", "a name that no other has", "names are identities");
        }
    }

    internal static void CheckDelay(ConfigErrors errors, string path, Delay delay, Delay least, uint maxRounds)
    {
        if (delay < least)
        {
            errors.Add(path, $"{delay}", $"{least} or more", "time must move on around every circle");
        }

        if (delay.Round > maxRounds || delay.Time > LargestTicks)
        {
            errors.Add(path, $"{delay}", $"2^60 ticks and {maxRounds} rounds (MaxRounds) or less", "sums must fit");
        }
    }

    internal static void CheckRange(ConfigErrors errors, string path, long value, long least, long most, string reason)
    {
        if (value < least || value > most)
        {
            errors.Add(path, value.ToString(CultureInfo.InvariantCulture), $"{least} to {most}", reason);
        }
    }

    /// <returns>-1 if it is not valid Unicode.</returns>
    private static int CountBytes(string name)
    {
        try
        {
            return Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException)
        {
            return -1;
        }
    }
}

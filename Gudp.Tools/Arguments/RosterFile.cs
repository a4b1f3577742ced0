using System.Buffers.Binary;
using System.Text.Json;
using Gudp.Core;
using Gudp.Sequencing;

namespace Gudp.Tools.Arguments;

/// <summary>
/// Reads the configuration of a run from JSON; docs/roster.schema.json says what may stand there. Properties are named
/// as those of the declarations, and mean the same.
/// </summary>
internal static class RosterFile
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <exception cref="CommandFailure">The file cannot be read, or what it says is not a valid run; all mistakes are named.</exception>
    internal static SequencingConfig Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
        catch (GudpConfigException failure)
        {
            string count = failure.Problems.Count == 1 ? "1 mistake" : $"{failure.Problems.Count} mistakes";
            throw new CommandFailure(
                ExitCode.Usage, $"'{path}' is not a roster, {count}:", failure.Problems);
        }
    }

    /// <exception cref="GudpConfigException">Names every mistake with its JSON path, those against the rules included.</exception>
    internal static SequencingConfig Parse(string text) => Parse(text, new RosterMistakes());

    /// <param name="text">JSON.</param>
    /// <param name="mistakes">Empty; keeps which properties were looked for.</param>
    /// <inheritdoc cref="Parse(string)" path="/exception"/>
    internal static SequencingConfig Parse(string text, RosterMistakes mistakes)
    {
        SequencingConfig config = new();

        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Lenient);
            config = ReadConfig(new RosterObject(document.RootElement, "$", "roster", mistakes));

            // Checks every rule; what is wrong by its form was given a default, and is named once.
            config.ComputeHash();
        }
        catch (JsonException failure)
        {
            mistakes.Add("$", $"is not JSON: {failure.Message}");
        }
        catch (InvalidOperationException failure)
        {
            mistakes.Add("$", $"is not Unicode: {failure.Message}");
        }
        catch (GudpConfigException failure)
        {
            mistakes.AddRules(failure.Problems);
        }

        mistakes.ThrowIfAny();
        return config;
    }

    private static SequencingConfig ReadConfig(RosterObject roster)
    {
        SequencingConfig standard = new();

        // For editors, which check and complete the file by it.
        roster.ReadObjectOf("$schema", "a text", RosterValue.ReadText);

        SequencingConfig config = new()
        {
            RunId = roster.Read("runId", standard.RunId, "a UUID", ReadRunId),
            StopTag = roster.ReadOptional("stopTag", RosterValue.TagForm, RosterValue.ReadTag),
            MaxRounds = roster.Read("maxRounds", standard.MaxRounds, "a whole number", RosterValue.ReadUInt32),
            MaxPayloadBytes = roster.Read(
                "maxPayloadBytes", standard.MaxPayloadBytes, "a number of bytes", RosterValue.ReadInt32),
            MaxInboxBytes = roster.Read("maxInboxBytes", standard.MaxInboxBytes, "a number of bytes", RosterValue.ReadInt64),
            Seed = roster.Read("seed", standard.Seed, "a whole number below 2^64", RosterValue.ReadUInt64),
            TieSeed = roster.ReadOptional("tieSeed", "a whole number below 2^64", RosterValue.ReadUInt64),
            LogBytes = roster.Read("logBytes", standard.LogBytes, "a number of bytes", RosterValue.ReadInt64),
            LogMessages = roster.Read("logMessages", standard.LogMessages, "a number of messages", RosterValue.ReadInt32),
            SnapshotBytes = roster.Read("snapshotBytes", standard.SnapshotBytes, "a number of bytes", RosterValue.ReadInt64),
            MaxObservers = roster.Read("maxObservers", standard.MaxObservers, "a number of observers", RosterValue.ReadInt32),
            InboxLimit = ReadInboxLimit(roster) ?? standard.InboxLimit,
            HealthLimit = roster.Read("healthLimit", standard.HealthLimit, RosterValue.SpanForm, RosterValue.ReadSpan),
            Operators = ReadName(roster, "operators", standard.Operators),
            AdmitsEarliest = roster.ReadBool("admitsEarliest", standard.AdmitsEarliest),
            StartsOnCommand = roster.ReadBool("startsOnCommand", standard.StartsOnCommand),
            Pace = roster.Read("pace", standard.Pace, "a number", RosterValue.ReadDouble),
            TickLength = roster.Read("tickLength", standard.TickLength, RosterValue.SpanForm, RosterValue.ReadSpan),
            WhenLate = ReadName(roster, "whenLate", standard.WhenLate),
            Roster = roster.ReadObjects("members", "member", ReadMember),
            Channels = roster.ReadObjects("channels", "channel", ReadChannel),
        };

        roster.RefuseOthers();
        return config;
    }

    private static MemberDeclaration ReadMember(RosterObject member)
    {
        MemberDeclaration standard = new("")
        {
            Publish = member.ReadTexts("publish"),
            Subscribe = member.ReadTexts("subscribe"),
            SubscribeQuietly = member.ReadTexts("subscribeQuietly"),
        };

        MemberDeclaration declaration = new(member.ReadName())
        {
            Sends = member.ReadBool("sends", standard.Sends),
            Receives = member.ReadBool("receives", standard.Receives),
            Lookahead = member.Read("lookahead", standard.Lookahead, RosterValue.DelayForm, RosterValue.ReadDelay),
            Publish = standard.Publish,
            Subscribe = standard.Subscribe,
            SubscribeQuietly = standard.SubscribeQuietly,
            Policies = member.ReadMap("policies", RosterValue.PolicyForm, RosterValue.ReadPolicy),
            MayStop = member.ReadBool("mayStop", standard.MayStop),
            MaySponsor = member.ReadBool("maySponsor", standard.MaySponsor),
            Join = member.Read("join", standard.Join, RosterValue.TagForm, RosterValue.ReadTag),
            MayPeek = member.ReadBool("mayPeek", standard.MayPeek),
            CrashPolicy = ReadName(member, "crashPolicy", standard.CrashPolicy),
            InboxLimit = ReadInboxLimit(member),
            Paced = member.ReadBool("paced", standard.Paced),
        };

        member.RefuseOthers();
        return declaration;
    }

    private static ChannelDeclaration ReadChannel(RosterObject channel)
    {
        string name = channel.ReadName();
        ChannelDeclaration standard = new(name)
        {
            MinimumLatency = channel.Read(
                "minimumLatency", Delay.None, RosterValue.DelayForm, RosterValue.ReadDelay),
        };

        LatencyModel? latency = channel.ReadObjectOf("latency", RosterValue.LatencyForm, RosterValue.ReadLatency);
        ChannelDeclaration declaration = new(name)
        {
            MinimumLatency = latency is null || channel.Has("minimumLatency") ? standard.MinimumLatency : latency.Minimum,
            Latency = latency ?? standard.Latency,
            Scatter = channel.ReadBool("scatter", false),
            SenderLossPpm = ReadPpm(channel, "senderLossPpm"),
            ReceiverLossPpm = ReadPpm(channel, "receiverLossPpm"),
            SenderDuplicatePpm = ReadPpm(channel, "senderDuplicatePpm"),
            ReceiverDuplicatePpm = ReadPpm(channel, "receiverDuplicatePpm"),
            Policy = channel.Read("policy", BufferPolicy.All, RosterValue.PolicyForm, RosterValue.ReadPolicy),
            History = channel.Read("history", ChannelHistory.All, RosterValue.HistoryForm, RosterValue.ReadHistory),
            HistoryBytes = channel.ReadOptional("historyBytes", "a number of bytes", RosterValue.ReadInt64),
            HistoryTicks = channel.ReadOptional("historyTicks", "a number of ticks", RosterValue.ReadInt64),
        };

        channel.RefuseOthers();
        return declaration;
    }

    private static int ReadPpm(RosterObject channel, string name)
        => channel.Read(name, 0, "a number of parts per million", RosterValue.ReadInt32);

    private static InboxLimit? ReadInboxLimit(RosterObject holder)
        => holder.ReadObject("inboxLimit", "inboxLimit", limit =>
        {
            InboxLimit read = new(
                limit.ReadRequired("messages", 1L, "a number of messages", RosterValue.ReadInt64),
                limit.ReadRequired("bytes", 1L, "a number of bytes", RosterValue.ReadInt64));

            limit.RefuseOthers();
            return read;
        });

    private static T ReadName<T>(RosterObject holder, string name, T standard)
        where T : struct, Enum
        => holder.Read(name, standard, RosterValue.NamesOf<T>(), RosterValue.ReadName<T>);

    private static UInt128? ReadRunId(JsonElement value)
        => value.ValueKind == JsonValueKind.String && value.TryGetGuid(out Guid id)
            ? BinaryPrimitives.ReadUInt128BigEndian(id.ToByteArray(bigEndian: true))
            : null;
}

using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gudp.Core;
using Gudp.Sequencing;

namespace Gudp.Tools.Arguments;

/// <summary>
/// Reads the configuration of a run from JSON:
/// <c>{ "members": [ { "name": "plant", "lookaheadTicks": 5, "publish": ["state"], "subscribe": ["control"] } ] }</c>.
/// </summary>
internal static class RosterFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },

        // A misspelt name would otherwise mean its default, silently.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <exception cref="CommandFailure">The file cannot be read, or what it says is not a valid run.</exception>
    internal static SequencingConfig Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException or GudpConfigException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' is not a roster: {failure.Message}");
        }
    }

    /// <exception cref="JsonException">The text is not of this form.</exception>
    /// <exception cref="ArgumentException">A delay is negative.</exception>
    /// <exception cref="GudpConfigException">Rules of the configuration are broken; the message lists all.</exception>
    internal static SequencingConfig Parse(string text)
    {
        Roster roster = JsonSerializer.Deserialize<Roster>(text, Json) ?? throw new JsonException("It is empty.");
        SequencingConfig config = new()
        {
            RunId = BinaryPrimitives.ReadUInt128BigEndian(roster.RunId.ToByteArray(bigEndian: true)),
            Roster = [.. roster.Members.Select(member => member.ToDeclaration())],
            Channels = [.. roster.Channels.Select(channel => new ChannelDeclaration(channel.Name)
            {
                MinimumLatency = Delay.Ticks(channel.MinimumLatencyTicks),
            })],
        };

        // Checks every rule, and lists what is broken.
        config.ComputeHash();
        return config;
    }

    private sealed record Roster
    {
        public Guid RunId { get; init; }

        public required IReadOnlyList<Member> Members { get; init; }

        public IReadOnlyList<Channel> Channels { get; init; } = [];
    }

    private sealed record Member
    {
        public required string Name { get; init; }

        public long? LookaheadTicks { get; init; }

        public IReadOnlyList<string> Publish { get; init; } = [];

        public IReadOnlyList<string> Subscribe { get; init; } = [];

        public IReadOnlyList<string> SubscribeQuietly { get; init; } = [];

        public CrashPolicy CrashPolicy { get; init; }

        internal MemberDeclaration ToDeclaration()
        {
            MemberDeclaration declaration = new(Name)
            {
                Publish = [.. Publish],
                Subscribe = [.. Subscribe],
                SubscribeQuietly = [.. SubscribeQuietly],
                CrashPolicy = CrashPolicy,
                Lookahead = LookaheadTicks is { } ticks ? Delay.Ticks(ticks) : Delay.OneRound,
            };

            return declaration;
        }
    }

    private sealed record Channel
    {
        public required string Name { get; init; }

        public long MinimumLatencyTicks { get; init; }
    }
}

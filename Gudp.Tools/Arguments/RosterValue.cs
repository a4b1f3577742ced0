using System.Globalization;
using System.Text.Json;
using Gudp.Sequencing;

namespace Gudp.Tools.Arguments;

/// <summary>The forms of values in a roster. Each reader gives null for what is not of its form.</summary>
internal static class RosterValue
{
    internal const string TagForm = "a time in ticks, or { \"time\": 5, \"round\": 2 }";
    internal const string DelayForm = "ticks, 0 or more, or { \"ticks\": 5, \"rounds\": 2 }";
    internal const string SpanForm = Amount.SpanForm + ", or as 1.00:00:00";
    internal const string PolicyForm = "\"all\", \"none\", \"latest\", \"newest 3\" or \"oldest 3\"";
    internal const string HistoryForm = "\"all\", \"none\" or \"last 3\"";
    internal const string LatencyForm =
        "ticks, or { \"uniform\": [2, 9] }, or { \"table\": [[ticks, weight], ...] }";

    private const int MostQuoted = 40;

    internal static string? ReadText(JsonElement value)
        => value.ValueKind == JsonValueKind.String && TryRead(value.GetString, out string? text) ? text : null;

    /// <summary>JSON may escape half a character, which no text holds.</summary>
    internal static bool TryRead(Func<string?> read, out string? text)
    {
        try
        {
            text = read();
            return true;
        }
        catch (InvalidOperationException)
        {
            text = null;
            return false;
        }
    }

    internal static long? ReadInt64(JsonElement value) => IsNumber(value) && value.TryGetInt64(out long read) ? read : null;

    internal static int? ReadInt32(JsonElement value) => IsNumber(value) && value.TryGetInt32(out int read) ? read : null;

    internal static uint? ReadUInt32(JsonElement value)
        => IsNumber(value) && value.TryGetUInt32(out uint read) ? read : null;

    internal static ulong? ReadUInt64(JsonElement value)
        => IsNumber(value) && value.TryGetUInt64(out ulong read) ? read : null;

    internal static double? ReadDouble(JsonElement value)
        => IsNumber(value) && value.TryGetDouble(out double read) && double.IsFinite(read) ? read : null;

    internal static TimeSpan? ReadSpan(JsonElement value)
        => ReadText(value) is not { } text ? null
        : Amount.TryReadSpan(text, out TimeSpan span) ? span
        : TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out span) ? span
        : null;

    internal static Tag? ReadTag(JsonElement value)
        => TryReadPair(value, ("time", "round"), out long time, out uint round) ? new Tag(time, round) : null;

    internal static Delay? ReadDelay(JsonElement value)
        => TryReadPair(value, ("ticks", "rounds"), out long ticks, out uint rounds) && ticks >= 0
            ? Delay.Of(ticks, rounds)
            : null;

    internal static BufferPolicy? ReadPolicy(JsonElement value) => ReadText(value)?.Split(' ') switch
    {
        ["all"] => BufferPolicy.All,
        ["none"] => BufferPolicy.None,
        ["latest"] => BufferPolicy.Latest,
        ["newest", var text] when IsCount(text, out int count) && count <= BufferPolicy.MaxCount
            => BufferPolicy.Newest(count),
        ["oldest", var text] when IsCount(text, out int count) && count <= BufferPolicy.MaxCount
            => BufferPolicy.Oldest(count),
        _ => null,
    };

    internal static ChannelHistory? ReadHistory(JsonElement value) => ReadText(value)?.Split(' ') switch
    {
        ["all"] => ChannelHistory.All,
        ["none"] => ChannelHistory.None,
        ["last", var text] when IsCount(text, out int count) => ChannelHistory.Last(count),
        _ => null,
    };

    internal static LatencyModel? ReadLatency(JsonElement value)
    {
        try
        {
            return ReadDelay(value) is Delay constant ? LatencyModel.Constant(constant)
                : value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() != 1 ? null
                : value.TryGetProperty("uniform", out JsonElement range) ? ReadUniform(range)
                : value.TryGetProperty("table", out JsonElement rows) ? ReadTable(rows)
                : null;
        }
        catch (ArgumentOutOfRangeException)
        {
            // The model has its own rules of what is a range and a weight.
            return null;
        }
    }

    internal static T? ReadName<T>(JsonElement value)
        where T : struct, Enum
    {
        foreach (T name in Enum.GetValues<T>())
        {
            if (ReadText(value) == TextOf(name))
            {
                return name;
            }
        }

        return null;
    }

    internal static string NamesOf<T>()
        where T : struct, Enum
        => string.Join(", ", Enum.GetValues<T>().Select(name => $"\"{TextOf(name)}\""));

    /// <summary>A value as the file has it, cut to a length that fits a sentence.</summary>
    internal static string Quote(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length > MostQuoted ? $"{text[..MostQuoted]}..." : text;
    }

    private static string TextOf<T>(T name)
        where T : struct, Enum
        => JsonNamingPolicy.CamelCase.ConvertName(name.ToString());

    private static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    private static bool IsCount(string text, out int count)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count > 0;

    private static bool TryReadPair(
        JsonElement value, (string First, string Second) names, out long first, out uint second)
    {
        second = 0;

        if (ReadInt64(value) is long alone)
        {
            first = alone;
            return true;
        }

        first = 0;

        if (value.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (property.Name == names.First && ReadInt64(property.Value) is long read)
            {
                first = read;
            }
            else if (property.Name == names.Second && ReadUInt32(property.Value) is uint rounds)
            {
                second = rounds;
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static LatencyModel? ReadUniform(JsonElement range) => ReadNumbers(range) is [long least, long most]
        ? LatencyModel.Uniform(least, most)
        : null;

    private static LatencyModel? ReadTable(JsonElement rows)
    {
        if (rows.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        List<(long Ticks, int Weight)> table = [];

        foreach (JsonElement row in rows.EnumerateArray())
        {
            if (ReadNumbers(row) is not [long ticks, long weight and <= int.MaxValue])
            {
                return null;
            }

            table.Add((ticks, (int)Math.Max(weight, 0)));
        }

        return LatencyModel.Table([.. table]);
    }

    private static long[]? ReadNumbers(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        long?[] numbers = [.. list.EnumerateArray().Select(ReadInt64)];
        return numbers.Contains(null) ? null : Array.ConvertAll(numbers, number => number!.Value);
    }
}

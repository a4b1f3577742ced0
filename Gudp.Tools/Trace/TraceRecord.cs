using System.Globalization;
using System.Text.Json;

namespace Gudp.Tools.Trace;

/// <summary>One event of a trace file, as far as the tools use it.</summary>
internal sealed record TraceRecord(double Milliseconds, string Name, string Connection)
{
    internal long PacketNumber { get; init; } = -1;

    internal int Bytes { get; init; }

    internal string Trigger { get; init; } = "";

    internal bool IsRepeat { get; init; }

    internal double? SmoothedRtt { get; init; }

    internal double? LatestRtt { get; init; }

    internal double? MinRtt { get; init; }

    internal double? WindowBytes { get; init; }

    internal double? BytesInFlight { get; init; }

    internal string Before { get; init; } = "";

    internal string After { get; init; } = "";

    internal long Count { get; init; }

    /// <exception cref="JsonException">It is not an event.</exception>
    internal static TraceRecord From(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object
            || Number(root, "time") is not { } time
            || Text(root, "name") is not { Length: > 0 } name)
        {
            throw new JsonException("an event has a time and a name");
        }

        JsonElement data = Member(root, "data");
        JsonElement acked = Member(data, "packet_numbers");
        double number = acked.ValueKind == JsonValueKind.Array && acked.GetArrayLength() > 0
            ? NumberOf(acked[0]) ?? -1
            : Number(Member(data, "header"), "packet_number") ?? -1;

        return new TraceRecord(time, name, Text(root, "group_id"))
        {
            PacketNumber = (long)number,
            Bytes = (int)(Number(Member(data, "raw"), "length") ?? 0),
            Trigger = Text(data, "trigger"),
            IsRepeat = Member(data, "repeats").ValueKind == JsonValueKind.True,
            SmoothedRtt = Number(data, "smoothed_rtt"),
            LatestRtt = Number(data, "latest_rtt"),
            MinRtt = Number(data, "min_rtt"),
            WindowBytes = Number(data, "congestion_window"),
            BytesInFlight = Number(data, "bytes_in_flight"),
            Before = Text(data, "old"),
            After = Text(data, "new"),
            Count = (long)(Number(data, "count") ?? 0),
        };
    }

    private static JsonElement Member(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement found)
            ? found
            : default;

    private static double? Number(JsonElement element, string name) => NumberOf(Member(element, name));

    private static double? NumberOf(JsonElement element)
        => element.ValueKind == JsonValueKind.Number
            && double.TryParse(element.GetRawText(), CultureInfo.InvariantCulture, out double number)
            && Math.Abs(number) < long.MaxValue
                ? number
                : null;

    private static string Text(JsonElement element, string name)
        => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() ?? "" : "";
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gudp.Bench.Transport;

/// <summary>The form of the JSON files of all measurements.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Reads a report back.</summary>
    /// <param name="json">The file.</param>
    /// <param name="schemaOf">Of which schema a report is.</param>
    /// <param name="current">The schema that is read.</param>
    /// <exception cref="InvalidOperationException">The file has another one.</exception>
    internal static T Parse<T>(string json, Func<T, int> schemaOf, int current)
        where T : class
    {
        T? report = JsonSerializer.Deserialize<T>(json, Options);
        int? schema = report is null ? null : schemaOf(report);
        return schema == current
            ? report!
            : throw new InvalidOperationException($"Schema {schema} is not {current}; measure anew.");
    }

    internal static string ToJson<T>(T report) => JsonSerializer.Serialize(report, Options) + "\n";
}

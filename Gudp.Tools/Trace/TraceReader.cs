using System.Text.Json;

namespace Gudp.Tools.Trace;

/// <summary>What stands in a trace file.</summary>
/// <param name="Title">Of the daemon.</param>
/// <param name="Events">In order.</param>
/// <param name="IsCut">The last record is not whole: the program ended without closing the file.</param>
internal sealed record TraceContent(string Title, IReadOnlyList<TraceRecord> Events, bool IsCut);

/// <summary>Reads trace files (T-1): a JSON text sequence, or one record per line.</summary>
internal static class TraceReader
{
    private const char RecordSeparator = '\u001e';
    private const int MostRecordCharacters = 64 * 1024;
    private const int MostEvents = 20_000_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    /// <exception cref="CommandFailure">It cannot be read, or is no trace.</exception>
    internal static TraceContent ReadFile(string path)
    {
        try
        {
            using StreamReader reader = new(path);
            return Read(reader, path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
    }

    /// <exception cref="CommandFailure">It is no trace.</exception>
    internal static TraceContent Read(TextReader reader, string path)
    {
        List<TraceRecord> events = [];
        string? title = null;
        int number = 0;

        while (reader.ReadLine() is { } line)
        {
            number++;
            string text = line.TrimStart(RecordSeparator).Trim();

            if (text.Length == 0)
            {
                continue;
            }

            if (text.Length > MostRecordCharacters || events.Count == MostEvents)
            {
                throw new CommandFailure(ExitCode.Usage, $"'{path}' is longer than a trace is, at line {number}.");
            }

            try
            {
                using JsonDocument record = JsonDocument.Parse(text, Options);

                if (title is null)
                {
                    title = TitleOf(record.RootElement);
                }
                else
                {
                    events.Add(TraceRecord.From(record.RootElement));
                }
            }
            catch (JsonException failure)
            {
                // A program that was killed leaves half a record behind, and nothing after it.
                if (title is not null && reader.Peek() < 0)
                {
                    return new TraceContent(title, events, IsCut: true);
                }

                throw new CommandFailure(
                    ExitCode.Usage, $"'{path}' is no packet trace: line {number}: {failure.Message}");
            }
        }

        return title is null
            ? throw new CommandFailure(ExitCode.Usage, $"'{path}' is no packet trace: it is empty.")
            : new TraceContent(title, events, IsCut: false);
    }

    private static string TitleOf(JsonElement head)
        => head.ValueKind == JsonValueKind.Object && head.TryGetProperty("file_schema", out _)
            ? head.TryGetProperty("title", out JsonElement title) && title.ValueKind == JsonValueKind.String
                ? title.GetString() ?? ""
                : ""
            : throw new JsonException("the first record does not say file_schema");
}

using System.Text.Json;

namespace Gudp.Tools.Configuration;

/// <summary>
/// A JSON object as the pairs that a configuration makes of it: {"Connections":{"IdleTimeout":"5s"}} is
/// Connections:IdleTimeout=5s.
/// </summary>
internal static class JsonEntries
{
    private static readonly JsonDocumentOptions Options = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 16,
    };

    /// <exception cref="CommandFailure">It is not JSON, or holds a list, and every key has one value.</exception>
    internal static IReadOnlyList<KeyValuePair<string, string?>> Read(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Options);
            List<KeyValuePair<string, string?>> pairs = [];
            Add(pairs, "", document.RootElement);
            return pairs;
        }
        catch (JsonException failure)
        {
            throw new CommandFailure(ExitCode.Usage, $"The JSON cannot be read: {failure.Message}");
        }
    }

    private static void Add(List<KeyValuePair<string, string?>> pairs, string path, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                if (path.Length > 0)
                {
                    pairs.Add(new(path, null));
                }

                foreach (JsonProperty property in element.EnumerateObject())
                {
                    Add(pairs, path.Length == 0 ? property.Name : $"{path}:{property.Name}", property.Value);
                }

                break;
            case JsonValueKind.Array:
                throw new CommandFailure(ExitCode.Usage, $"{path} is a list; every key has one value.");
            case JsonValueKind.Null:
                pairs.Add(new(path, null));
                break;
            default:
                pairs.Add(new(path, element.ToString()));
                break;
        }
    }
}

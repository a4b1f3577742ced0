namespace Gudp.Bench.Transport;

/// <summary>The files that a command for measurements was given: <c>--json F</c>, <c>--html F</c>, <c>--markdown F</c>.</summary>
internal sealed class ReportFiles
{
    private const string Json = "--json";
    private const string Html = "--html";
    private const string Markdown = "--markdown";

    private readonly Dictionary<string, string> _paths = [];

    internal void AddTo(BenchArguments arguments)
    {
        foreach (string option in (string[])[Json, Html, Markdown])
        {
            arguments.Value(option, "FILE", path =>
            {
                _paths[option] = path;
                return path.Length > 0;
            });
        }
    }

    /// <summary>The JSON file as it is before it is written; null if there is none.</summary>
    internal string? FormerJson()
        => _paths.TryGetValue(Json, out string? path) && File.Exists(path) ? File.ReadAllText(path) : null;

    /// <summary>Writes those that were named.</summary>
    internal void Write(Func<string> json, ReportPage page)
    {
        Write(Json, json);
        Write(Html, page.ToHtml);
        Write(Markdown, page.ToMarkdown);
    }

    private void Write(string option, Func<string> content)
    {
        if (_paths.TryGetValue(option, out string? path))
        {
            File.WriteAllText(path, content());
        }
    }
}

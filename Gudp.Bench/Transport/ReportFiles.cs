namespace Gudp.Bench.Transport;

/// <summary>The files that a command for measurements was given: <c>--json F</c>, <c>--html F</c>, <c>--markdown F</c>.</summary>
internal sealed class ReportFiles
{
    private const string Json = "--json";
    private const string Html = "--html";
    private const string Markdown = "--markdown";

    private readonly Dictionary<string, string> _paths = [];

    /// <summary>Takes an option and its value, if it is one of these.</summary>
    internal bool TryTake(string option, string path)
    {
        bool isOurs = option is Json or Html or Markdown;

        if (isOurs)
        {
            _paths[option] = path;
        }

        return isOurs;
    }

    /// <summary>The JSON file as it is before it is written; null if there is none.</summary>
    internal string? FormerJson()
        => _paths.TryGetValue(Json, out string? path) && File.Exists(path) ? File.ReadAllText(path) : null;

    internal void WriteJson(Func<string> content) => Write(Json, content);

    internal void WriteHtml(Func<string> content) => Write(Html, content);

    internal void WriteMarkdown(Func<string> content) => Write(Markdown, content);

    private void Write(string option, Func<string> content)
    {
        if (_paths.TryGetValue(option, out string? path))
        {
            File.WriteAllText(path, content());
        }
    }
}

namespace Gudp.Bench.Transport;

/// <summary>The files that a command for measurements was given: <c>--json F</c>, <c>--html F</c>, <c>--markdown F</c>.</summary>
internal sealed class ReportFiles
{
    private const string Json = "--json";
    private const string Html = "--html";
    private const string Markdown = "--markdown";

    private readonly Dictionary<string, string> _paths = [];

    /// <summary>Reads arguments: options without a value, and options followed by one.</summary>
    /// <param name="arguments">In their order.</param>
    /// <param name="tryFlag">Takes an option that has no value; false: it is none.</param>
    /// <param name="tryTake">Takes an option and its value; false: neither it nor this knows it.</param>
    /// <returns>False if one is unknown, has a value that is not allowed, or lacks one.</returns>
    internal bool TryRead(
        IReadOnlyList<string> arguments, Func<string, bool> tryFlag, Func<string, string, bool> tryTake)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];

            if (!tryFlag(name)
                && (++i == arguments.Count || !(tryTake(name, arguments[i]) || TryTake(name, arguments[i]))))
            {
                return false;
            }
        }

        return true;
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

    private bool TryTake(string option, string path)
    {
        bool isOurs = option is Json or Html or Markdown;

        if (isOurs)
        {
            _paths[option] = path;
        }

        return isOurs;
    }

    private void Write(string option, Func<string> content)
    {
        if (_paths.TryGetValue(option, out string? path))
        {
            File.WriteAllText(path, content());
        }
    }
}

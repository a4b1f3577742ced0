using System.Text;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Transport;

/// <summary>One part of a report.</summary>
/// <param name="Heading">Its title.</param>
/// <param name="Note">How it was measured; empty if the part before says so.</param>
/// <param name="Table">Of the figures.</param>
/// <param name="Charts">In the HTML page only.</param>
internal sealed record ReportSection(string Heading, string Note, PageTable Table, IReadOnlyList<IChart> Charts);

/// <summary>A report for people: an HTML page with charts, and a Markdown file with the same tables.</summary>
/// <param name="Name">Of the command and of the files, without their endings.</param>
/// <param name="Title">Of the page.</param>
internal sealed record ReportPage(string Name, string Title)
{
    private const int Columns = 118;

    /// <summary>What makes all of it anew, besides the files.</summary>
    internal string MoreOptions { get; init; } = "";

    /// <summary>What else the command can do, in Markdown; broken into lines as it shall be.</summary>
    internal required string Usage { get; init; }

    /// <summary>The JSON file, in Markdown.</summary>
    internal required string Schema { get; init; }

    internal required string Intro { get; init; }

    /// <summary>How often it was measured: a sentence.</summary>
    internal required string Runs { get; init; }

    internal required IReadOnlyList<FloorRow> Floors { get; init; }

    internal required IEnumerable<ReportSection> Sections { get; init; }

    private string Command => $"dotnet run -c Release --project Gudp.Bench -- {Name}";

    internal string ToMarkdown()
    {
        StringBuilder text = new();
        string files = $"--json docs/measurements/{Name}.json --html docs/measurements/{Name}.html "
            + $"--markdown docs/measurements/{Name}.md";
        text.Append($"# {Title}\n\nMade by\n\n```\n{Command} {files}{MoreOptions}\n```\n\n")
            .Append($"with charts in [{Name}.html]({Name}.html). {Usage}\n\n")
            .Append(Schema.ReplaceLineEndings("\n"))
            .Append($"## Floors\n\n{Wrap(Intro)}\n\n{Runs}\n\n")
            .Append(FloorRow.ToTable(Floors).ToMarkdown());

        foreach (ReportSection section in Sections)
        {
            text.Append($"\n## {section.Heading}\n\n");

            if (section.Note.Length > 0)
            {
                text.Append(Wrap(section.Note)).Append("\n\n");
            }

            text.Append(section.Table.ToMarkdown());
        }

        return text.ToString();
    }

    internal string ToHtml()
    {
        HtmlPage page = new(Title + " of Gudp");
        page.Paragraph(Intro);
        page.Paragraph($"{Runs} Made by");
        page.Command(Command);
        page.Heading("Floors");
        page.Table(FloorRow.ToTable(Floors));

        foreach (ReportSection section in Sections)
        {
            page.Heading(section.Heading);

            if (section.Note.Length > 0)
            {
                page.Paragraph(section.Note);
            }

            page.Charts(section.Charts);
            page.Table(section.Table);
        }

        return page.ToHtml();
    }

    // Lines of a text file; Markdown joins them again.
    private static string Wrap(string text)
    {
        StringBuilder lines = new();
        int length = 0;

        foreach (string word in text.Split(' '))
        {
            bool isNewLine = length + 1 + word.Length > Columns;
            lines.Append(length == 0 ? "" : isNewLine ? "\n" : " ").Append(word);
            length = isNewLine ? word.Length : length + 1 + word.Length;
        }

        return lines.ToString();
    }
}

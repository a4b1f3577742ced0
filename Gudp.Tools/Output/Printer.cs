using Spectre.Console;

namespace Gudp.Tools.Output;

/// <summary>
/// The only way to the screen. On a terminal tables and bars are drawn; into a pipe or a file go plain lines without
/// a control character. Errors go to the error stream, a line each.
/// </summary>
internal sealed class Printer
{
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly IAnsiConsole? _terminal;

    /// <summary>Any thread may print if the writers are synchronized, as the console's are.</summary>
    /// <param name="output">Gets what was asked for.</param>
    /// <param name="error">Gets what went wrong.</param>
    /// <param name="terminal">Draws; null if the output is not a terminal.</param>
    internal Printer(TextWriter output, TextWriter error, IAnsiConsole? terminal)
    {
        _output = output;
        _error = error;
        _terminal = terminal;
    }

    internal static Printer ForConsole()
        => new(Console.Out, Console.Error, Console.IsOutputRedirected ? null : AnsiConsole.Console);

    /// <summary>The same streams with plain lines only.</summary>
    internal Printer WithoutBars() => new(_output, _error, null);

    internal void Line(string text)
    {
        _output.WriteLine(OneLine(text));
        _output.Flush();
    }

    internal void Error(string text) => Error(text, []);

    /// <param name="text">The first line.</param>
    /// <param name="details">One line each behind it.</param>
    internal void Error(string text, IReadOnlyList<string> details)
    {
        _error.WriteLine("gudp: " + OneLine(text));

        foreach (string detail in details)
        {
            _error.WriteLine("  " + OneLine(detail));
        }

        _error.Flush();
    }

    internal void Table(TextTable table)
    {
        // A frame that does not fit would break every cell into pieces; plain lines stay whole.
        if (_terminal is null || table.Width + FrameWidth(table) > _terminal.Profile.Width)
        {
            foreach (string line in table.Lines())
            {
                Line(line);
            }

            return;
        }

        _terminal.Write(Drawn(table));
    }

    /// <summary>Runs <paramref name="work"/>, which shows a table again and again: in one place, or as ever more lines.</summary>
    /// <param name="work">Gets what shows a title and a table.</param>
    internal async Task WithLiveTableAsync(Func<Action<string, TextTable>, Task> work)
    {
        if (_terminal is null)
        {
            await work((title, table) =>
            {
                Line(title);
                Table(table);
            }).ConfigureAwait(false);
            return;
        }

        await _terminal.Live(new Table()).StartAsync(context => work(
            (title, table) => context.UpdateTarget(Drawn(table).Title(Markup.Escape(OneLine(title))))))
            .ConfigureAwait(false);
    }

    /// <summary>Runs <paramref name="work"/> and shows how far it is.</summary>
    /// <param name="label">What is being done; may come from the network.</param>
    /// <param name="total">The amount that makes it complete.</param>
    /// <param name="unit">What amounts are counted in.</param>
    /// <param name="work">Reports the amount done so far; its result is returned.</param>
    internal async Task<T> WithProgressAsync<T>(
        string label, long total, ProgressUnit unit, Func<ProgressMeter, Task<T>> work)
    {
        string shown = OneLine(label);

        if (_terminal is null)
        {
            return await work(new ProgressMeter(shown, total, unit, null, Line)).ConfigureAwait(false);
        }

        return await _terminal.Progress().Columns(ColumnsFor(unit)).StartAsync(context =>
        {
            ProgressTask bar = context.AddTask(Markup.Escape(shown), maxValue: Math.Max(1, total));
            return work(new ProgressMeter(shown, total, unit, bar, Line));
        }).ConfigureAwait(false);
    }

    private static Table Drawn(TextTable table)
    {
        Table drawn = new() { Border = TableBorder.Rounded };

        for (int i = 0; i < table.Columns.Count; i++)
        {
            TableColumn column = new(Markup.Escape(table.Columns[i]));
            drawn.AddColumn(i == 0 ? column : column.RightAligned());
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            drawn.AddRow([.. row.Select(cell => Markup.Escape(OneLine(cell)))]);
        }

        return drawn;
    }

    private static ProgressColumn[] ColumnsFor(ProgressUnit unit)
    {
        ProgressColumn[] always =
        [
            new TaskDescriptionColumn(),
            new ProgressBarColumn(),
            new PercentageColumn(),
            new RemainingTimeColumn(),
        ];

        return unit == ProgressUnit.Bytes ? [.. always, new TransferSpeedColumn()] : always;
    }

    // Between two columns a line and two spaces, where plain text has two; at each end a line and a space.
    private static int FrameWidth(TextTable table) => table.Columns.Count + 3;

    // Texts may come from the network: a line break or an escape sequence in one must not become a second line or a
    // colour.
    private static string OneLine(string text)
        => text.Any(char.IsControl) ? new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]) : text;
}

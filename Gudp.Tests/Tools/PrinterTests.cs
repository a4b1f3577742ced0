using Gudp.Tools.Output;
using NUnit.Framework;
using Spectre.Console;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class PrinterTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [TearDown]
    public void ForgetTexts()
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
    }

    [OneTimeTearDown]
    public void DisposeWriters()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Test]
    public void A_table_is_lines_of_aligned_columns()
    {
        TextTable table = new("member", "steps", "loss");
        table.Add("a", "300", "5.0 %");
        table.Add("member-01", "7", "0.0 %");

        Plain().Table(table);

        Assert.That(_output.ToString(), Is.EqualTo(
            "member     steps   loss\n" +
            "a            300  5.0 %\n" +
            "member-01      7  0.0 %\n"));
    }

    [Test]
    public void A_row_with_a_cell_too_many_is_refused()
        => Assert.That(() => new TextTable("one").Add("1", "2"), Throws.ArgumentException);

    [Test]
    public void An_error_is_one_line_on_the_error_stream()
    {
        Plain().Error("It\nbroke\r\nhere.");

        Assert.That(_error.ToString(), Is.EqualTo("gudp: It broke  here.\n"));
        Assert.That(_output.ToString(), Is.Empty);
    }

    [Test]
    public void Nothing_plain_holds_a_control_character()
    {
        Printer printer = Plain();

        printer.Line("a file called \u001b[31mred\u0007");

        Assert.That(_output.ToString().TrimEnd('\n').Any(char.IsControl), Is.False);
    }

    [Test]
    public async Task Progress_of_something_short_prints_nothing()
    {
        int result = await Plain().WithProgressAsync("file", 10, ProgressUnit.Bytes, meter =>
        {
            meter.Report(5);
            meter.Report(10);
            return Task.FromResult(7);
        });

        Assert.That(result, Is.EqualTo(7));
        Assert.That(_output.ToString(), Is.Empty);
    }

    // What a peer calls itself is text, whatever is in it: no markup, no control character.
    [Test]
    public async Task A_live_table_shows_its_title_and_the_newest_rows_in_one_place()
    {
        using StringWriter screen = new() { NewLine = "\n" };
        IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(screen),
        });
        terminal.Profile.Width = 80;

        await new Printer(_output, _error, terminal).WithLiveTableAsync(show =>
        {
            show("2 peers", Table("first", "1"));
            show("1 [peer]\u001b[31m", Table("[red]second\u0007", "2"));
            return Task.CompletedTask;
        });

        string shown = screen.ToString();
        Assert.That(shown, Does.Contain("1 [peer] [31m").And.Contain("[red]second ").And.Not.Contain("\u0007"));
        Assert.That(shown, Does.Contain("\u001b[").And.Not.Contain("\u001b[31m"));
        Assert.That(
            shown.LastIndexOf("second", StringComparison.Ordinal),
            Is.GreaterThan(shown.IndexOf("first", StringComparison.Ordinal)));
        Assert.That(_output.ToString(), Is.Empty);
    }

    [Test]
    public async Task Without_a_terminal_a_live_table_is_ever_more_lines()
    {
        await Plain().WithLiveTableAsync(show =>
        {
            show("one", Table("a", "1"));
            show("two", Table("b", "2"));
            return Task.CompletedTask;
        });

        Assert.That(_output.ToString(), Is.EqualTo("one\npeer  rtt\na       1\ntwo\npeer  rtt\nb       2\n"));
    }

    private static TextTable Table(string peer, string rtt)
    {
        TextTable table = new("peer", "rtt");
        table.Add(peer, rtt);
        return table;
    }

    private Printer Plain() => new(_output, _error, terminal: null);
}

[TestFixture]
public sealed class UnitsTests
{
    [TestCase(0, ExpectedResult = "0 B")]
    [TestCase(999, ExpectedResult = "999 B")]
    [TestCase(1_000, ExpectedResult = "1.0 KB")]
    [TestCase(999_949, ExpectedResult = "999.9 KB")]
    [TestCase(999_950, ExpectedResult = "1.0 MB")]
    [TestCase(5_242_880, ExpectedResult = "5.2 MB")]
    [TestCase(3e15, ExpectedResult = "3000.0 TB")]
    public string Bytes_are_shown_in_decimal_units(double bytes) => Units.Bytes(bytes);

    [TestCase(59, ExpectedResult = "0.059 ms")]
    [TestCase(20_100, ExpectedResult = "20.1 ms")]
    [TestCase(1_500_000, ExpectedResult = "1.50 s")]
    public string A_span_keeps_the_digits_that_matter(long microseconds)
        => Units.Span(TimeSpan.FromMicroseconds(microseconds));

    [TestCase(1, 32, ExpectedResult = "3.1 %")]
    [TestCase(0, 0, ExpectedResult = "0.0 %")]
    public string A_share_of_nothing_is_nothing(long part, long whole) => Units.Share(part, whole);
}

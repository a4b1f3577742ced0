using System.Xml.Linq;
using Gudp.Sequencing;
using Gudp.Tools;
using Gudp.Tools.Charts;
using Gudp.Tools.Demo;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>The page of <c>gudp demo --report</c>: what is in it is what the records say.</summary>
[TestFixture]
public sealed class DemoReportTests
{
    private const string Doctype = "<!DOCTYPE html>\n";

    [Test]
    public void The_page_is_well_formed_and_needs_nothing_from_elsewhere()
    {
        DemoPlan plan = Plan(members: 3, agents: 30, steps: 20);

        string text = Draw(plan, new FlockRecord(plan));

        // The one address in it names a kind of XML; nothing is fetched from there.
        string withoutSvg = text.Replace("\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal);
        Assert.That(withoutSvg, Does.Not.Contain("://").And.Not.Contain("src=").And.Not.Contain("href=")
            .And.Not.Contain("url(").And.Not.Contain("@import").And.Not.Contain("<script"));
        Assert.That(Elements(Parse(text), "svg"), Has.Count.EqualTo(2 * 2));
    }

    [Test]
    public void Every_bird_is_where_the_run_left_it_and_its_path_ends_there()
    {
        DemoPlan plan = Plan(members: 3, agents: 31, steps: 20);
        FlockRecord run = new(plan);
        using RunRecord record = run.Open(1).Record;

        FlockFilm film = FlockFilm.Of(record, witness: 1, plan);

        Assert.That(film.Checksum, Is.EqualTo(run.Checksum));
        Assert.That(film.Steps, Is.EqualTo(20));
        Assert.That(film.Paths, Has.Count.EqualTo(31));
        Assert.That(film.Paths.Select(path => path.Places.Count), Is.All.EqualTo(21));
        Assert.That(
            film.Paths.Select(path => path.Places[^1]), Is.EqualTo(film.Agents.Select(agent => FlockPlace.Of(agent))));
    }

    [Test]
    public void A_bird_has_the_colour_of_the_member_whose_share_it_is_in([Values(1, 3, 7)] int members)
    {
        FlockModel model = new(agents: 20, seed: 1);

        for (int member = 0; member < members; member++)
        {
            (int first, int count) = model.ShareOf(member, members).GetOffsetAndLength(20);

            Assert.That(
                Enumerable.Range(first, count).Select(agent => FlockFilm.OwnerOf(agent, 20, members)),
                Is.All.EqualTo(member));
        }
    }

    [Test]
    public void Long_paths_begin_late_and_have_few_places_and_many_birds_few_paths_of_every_member()
    {
        DemoPlan plan = Plan(members: 5, agents: 3 * FlockFilm.MostPaths, steps: 500);
        using RunRecord record = new FlockRecord(plan).Open(1).Record;

        FlockFilm film = FlockFilm.Of(record, witness: 0, plan);

        Assert.That(film.Agents, Has.Count.EqualTo(plan.Agents));
        Assert.That(film.Paths, Has.Count.EqualTo(FlockFilm.MostPaths));
        Assert.That(film.Paths.Select(path => path.Member).Distinct(), Is.EquivalentTo((int[])[0, 1, 2, 3, 4]));
        Assert.That(film.Paths.Select(path => path.Places.Count), Is.All.EqualTo(FlockFilm.MostPlaces));
        Assert.That(film.PathsFrom, Is.EqualTo(100));
    }

    [Test]
    public void No_line_crosses_the_world_when_a_bird_leaves_it()
    {
        DemoPlan plan = Plan(members: 2, agents: 60, steps: 400);

        XDocument page = Parse(Draw(plan, new FlockRecord(plan)));

        foreach (XElement path in Elements(page, "path").Where(path => !$"{path.Attribute("d")?.Value}".EndsWith('z')))
        {
            Assert.That(LongestLine(path.Attribute("d")!.Value), Is.LessThan(40));
        }
    }

    [Test]
    public void Times_of_the_steps_are_the_records_and_add_up_to_the_run()
    {
        DemoPlan plan = Plan(members: 3, agents: 9, steps: 12);
        using RunRecord record = new FlockRecord(plan, waits: Waits).Open(1).Record;

        StepTimes times = StepTimes.Of(record);

        Assert.That(times.Steps.Select(step => step.Tag.Time), Is.EqualTo(Enumerable.Range(1, 12)));
        Assert.That(
            times.Steps.Select(step => step.Milliseconds),
            Is.EqualTo(Enumerable.Range(1, 12).Select(step => FlockRecord.WallOf(step) - FlockRecord.WallOf(step - 1))));
        Assert.That(times.Milliseconds, Is.EqualTo(FlockRecord.WallOf(12) - FlockRecord.WallOf(0)));
        Assert.That(times.Steps.Select(step => step.Grants), Is.All.EqualTo(3));

        // Of each two that wait for the third, the later one waits longer.
        Assert.That(times.Steps[0].Longest.Member, Is.EqualTo(2));
        Assert.That(times.Steps[0].Longest.WaitedFor, Is.EqualTo(1));
        Assert.That(times.WaitedFor(1), Is.EqualTo((4, 4 * (5 + 7))));
        Assert.That(times.WaitedFor(9), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Every_step_has_a_bar_that_tells_its_time_and_who_was_waited_for()
    {
        DemoPlan plan = Plan(members: 3, agents: 9, steps: 12);
        FlockRecord run = new(plan, waits: Waits);

        XDocument page = Parse(Draw(plan, run));

        string[] tips = Tips(page);
        Assert.That(tips.Where(tip => tip.StartsWith("step ")), Has.Exactly(2 * 12).Items);
        Assert.That(tips, Has.Exactly(2).EqualTo("step 1: 4 ms; 2 of 3 waited, m02 longest: 7 ms for m01 (Running)"));
        Assert.That(Cells(page), Is.SupersetOf((string[])["m00", "m01", "m02"]));
    }

    [Test]
    public void Many_steps_share_bars_and_none_is_left_out()
    {
        DemoPlan plan = Plan(members: 1, agents: 1, steps: 1_000);

        string[] tips = [.. Tips(Parse(Draw(plan, new FlockRecord(plan)))).Where(tip => tip.StartsWith("steps "))];

        // Two runs; four steps a bar.
        Assert.That(tips, Has.Length.EqualTo(2 * 250).And.Length.LessThanOrEqualTo(2 * StepChart.MostColumns));
        Assert.That(tips[0], Does.StartWith("steps 1 to 4, slowest: step "));
        Assert.That(tips[249], Does.StartWith("steps 997 to 1000, slowest: step "));
    }

    [TestCase(1, 1, 1)]
    [TestCase(1, 1, 2)]
    [TestCase(4, 2, 1)]
    [TestCase(64, 64, 3)]
    public void A_flock_of_one_bird_one_member_or_one_step_without_waits_is_a_page(int members, int agents, int steps)
    {
        DemoPlan plan = Plan(members, agents, steps);

        XDocument page = Parse(Draw(plan, new FlockRecord(plan)));

        Assert.That(Tips(page).Where(tip => tip.StartsWith("step ")), Is.All.EndsWith("nobody waited"));
        Assert.That(Tips(page).Where(tip => tip.StartsWith("bird ")), Has.Exactly(2 * agents).Items);
        Assert.That(page.ToString(), Does.Not.Contain("NaN").And.Not.Contain("Infinity").And.Not.Contain("∞"));
    }

    [Test]
    public void Names_that_are_markup_control_characters_or_very_long_do_no_harm()
    {
        string[] names =
        [
            "</svg><script>alert(1)</script>", "\u0001\u001b[31m\u202Eder\uFFFE", new string('x', 900) + " the end",
            "\"]]>&amp;",
        ];
        DemoPlan plan = Plan(members: 4, agents: 8, steps: 6);

        string text = Draw(plan, new FlockRecord(plan, names, Waits));
        XDocument page = Parse(text);

        Assert.That(text, Does.Not.Contain("<script").And.Not.Contain("\u202E").And.Not.Contain("\u001b"));
        Assert.That(Cells(page), Does.Contain(names[0]).And.Contain(names[2]).And.Contain(names[3]));
        Assert.That(Tips(page), Has.Some.StartsWith("bird 0 of </svg><script>"));
        Assert.That(Elements(page, "text").Select(one => one.Value.Length), Is.All.LessThan(100));
    }

    [Test]
    public void The_page_says_what_came_out_and_how_to_run_it_again()
    {
        DemoPlan plan = Plan(members: 2, agents: 4, steps: 3) with { LossPpm = 12_500, Delay = TimeSpan.FromMilliseconds(2.5) };
        FlockRecord run = new(plan);

        string fine = Draw(plan, run);
        string bad = DemoReport.Draw(
            plan, new DemoFindings(false, ["The run digests differ: 1 and 2."]), [run.Open(1), Other(run.Open(2))]);

        Assert.That(fine, Does.Contain("Deterministic: yes").And.Contain(FlockRecord.RunDigest + " ✓"));
        Assert.That(fine, Does.Contain(
            "gudp demo --members 2 --agents 4 --steps 3 --loss 1.25% --delay 2.5ms --seed 3"));
        Assert.That(fine, Does.Contain($"{FlockServer.TextOf(run.Checksum)} ✓").And.Not.Contain("✗"));
        Assert.That(bad, Does.Contain("Deterministic: no").And.Contain("The run digests differ: 1 and 2."));
        Assert.That(bad, Does.Contain("0 ✗"));
    }

    [Test]
    public void A_record_of_another_flock_is_said_to_be_one()
    {
        DemoPlan plan = Plan(members: 2, agents: 4, steps: 3);
        using RunRecord record = new FlockRecord(plan).Open(1).Record;

        Assert.That(
            () => FlockFilm.Of(record, witness: 0, plan with { Agents = 2 }), Throws.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void A_step_that_dwarfs_the_others_makes_the_axis_logarithmic()
    {
        StepChart even = Chart(20, 20, 25, 19);
        StepChart uneven = Chart(20, 20, 25, 3_000);

        Assert.That(Labels(even), Does.Contain("20").And.Not.Contain("1000"));
        Assert.That(Labels(uneven), Does.Contain("10").And.Contain("1000"));
    }

    [TestCase("no/such/folder/x.html", "Could not find a part of the path")]
    [TestCase(".", "it is a directory")]
    public async Task A_report_that_cannot_be_written_is_refused_before_anything_runs(string path, string reason)
    {
        var (code, output, errors) = await CommandCall.RunAsync("demo", "--report", path);

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.StartWith($"gudp: The report cannot be written to '{path}': ").And.Contain(reason));
        Assert.That(output, Is.Empty);
    }

    [Test]
    public void A_file_keeps_its_content_until_the_report_is_written_and_a_new_one_is_gone_if_none_is()
    {
        string folder = Directory.CreateTempSubdirectory("gudp-report-").FullName;
        string old = Path.Combine(folder, "old.html");
        string made = Path.Combine(folder, "new.html");
        File.WriteAllText(old, "what was there, and is longer");

        try
        {
            ReportFile.Open(old).Dispose();
            ReportFile.Open(made).Dispose();

            Assert.That(File.ReadAllText(old), Is.EqualTo("what was there, and is longer"));
            Assert.That(File.Exists(made), Is.False);

            using (ReportFile report = ReportFile.Open(old))
            {
                report.Write("page");
            }

            Assert.That(File.ReadAllText(old), Is.EqualTo("page"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (long Milliseconds, int For)? Waits(int step, int member)
    {
        int last = step % 3;
        return member == last ? null : (member == (last == 2 ? 1 : 2) ? 7 : 5, last);
    }

    private static DemoPlan Plan(int members, int agents, int steps) => new()
    {
        Members = members,
        Agents = agents,
        Steps = steps,
        LossPpm = 0,
        Delay = TimeSpan.Zero,
        Seed = 3,
    };

    private static string Draw(DemoPlan plan, FlockRecord run)
    {
        RecordedDemoRun first = run.Open(1);
        RecordedDemoRun second = run.Open(2);

        using (first.Record)
        using (second.Record)
        {
            return DemoReport.Draw(plan, new DemoFindings(true, []), [first, second]);
        }
    }

    private static RecordedDemoRun Other(RecordedDemoRun run)
        => run with { Result = run.Result with { RunDigest = "0" } };

    private static StepChart Chart(params long[] milliseconds)
    {
        MemoryStream bytes = new();
        RunRecordWriter writer = new(bytes, new RunRecordHead());
        writer.AddMember(0, "m");
        writer.AddGrant(new RecordedGrant(0, 0, Tag.Zero, 1));
        long wall = 0;

        for (int i = 0; i < milliseconds.Length; i++)
        {
            wall += milliseconds[i];
            writer.AddGrant(new RecordedGrant(0, i + 1, i + 1, 1) { WallMilliseconds = wall });
        }

        writer.Flush();
        using RunRecord record = new(new MemoryStream(bytes.ToArray()));
        return new StepChart("steps", StepTimes.Of(record), ["m"]);
    }

    private static string[] Labels(StepChart chart)
        => [.. Elements(XDocument.Parse(ChartStyle.ToSvgFile(chart)), "text").Select(text => text.Value)];

    private static XDocument Parse(string text) => XDocument.Parse(text[Doctype.Length..]);

    private static List<XElement> Elements(XDocument page, string name)
        => [.. page.Descendants().Where(element => element.Name.LocalName == name)];

    private static string[] Tips(XDocument page) => [.. Elements(page, "title").Select(title => title.Value)];

    private static string[] Cells(XDocument page) => [.. Elements(page, "td").Select(cell => cell.Value)];

    private static double LongestLine(string path)
    {
        double longest = 0;

        foreach (string part in path.Split('M', StringSplitOptions.RemoveEmptyEntries))
        {
            double[][] points =
            [
                .. part.Split('L').Select(point => point.Split(' ')
                    .Select(number => double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray()),
            ];

            for (int i = 1; i < points.Length; i++)
            {
                longest = Math.Max(
                    longest, Math.Sqrt(Math.Pow(points[i][0] - points[i - 1][0], 2) + Math.Pow(points[i][1] - points[i - 1][1], 2)));
            }
        }

        return longest;
    }
}

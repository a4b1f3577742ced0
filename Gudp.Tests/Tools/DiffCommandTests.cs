using System.Text.Json;
using Gudp.Tests.Sequencing.Records;
using Gudp.Tools;
using NUnit.Framework;
using static Gudp.Tests.Tools.CommandCall;

namespace Gudp.Tests.Tools;

/// <summary><c>gudp diff</c>, in this process.</summary>
[TestFixture]
public sealed class DiffCommandTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-diff-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Equal_records_are_exit_code_0_and_no_report()
    {
        string a = Write("a.rec", _ => { });
        string b = Write("b.rec", _ => { });
        string report = Path.Combine(_folder, "report.json");

        var (code, output, errors) = await RunAsync("diff", a, b, "--report", report);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.StartWith("equal in every grant and message\n"));
        Assert.That(output, Does.Contain(
            "A: gudp 0.1.0, 3 members, 33 grants, complete, run digest 0000000000000063\n"));
        Assert.That(File.Exists(report), Is.False);
    }

    [Test]
    public async Task Different_records_are_exit_code_1_and_a_report()
    {
        string a = Write("a.rec", _ => { });
        string b = Write("b.rec", run => run.Members[1].Grants[6].Messages[1].Payload[2] ^= 1);
        string report = Path.Combine(_folder, "report.json");

        var (code, output, errors) = await RunAsync("diff", a, b, "--report", report);

        Assert.That(code, Is.EqualTo(ExitCode.CheckFailed), errors);
        Assert.That(output, Does.StartWith(
            "different: member \"m1\" (1), grant 6 at 60, record 1 of the batch: "
            + "the payload differs from byte 2 on\n"));
        using JsonDocument written = JsonDocument.Parse(await File.ReadAllTextAsync(report));
        Assert.That(written.RootElement.GetProperty("first").GetProperty("member").GetString(), Is.EqualTo("m1"));
    }

    [Test]
    public async Task Json_prints_the_report_and_nothing_else()
    {
        string a = Write("a.rec", _ => { });
        string b = Write("b.rec", run => run.Members[2].Grants[4].Messages.RemoveAt(0));

        var (code, output, errors) = await RunAsync("diff", a, b, "--json");

        Assert.That(code, Is.EqualTo(ExitCode.CheckFailed), errors);
        using JsonDocument report = JsonDocument.Parse(output);
        JsonElement first = report.RootElement.GetProperty("first");
        Assert.That(first.GetProperty("what").GetString(), Is.EqualTo("missingMessage"));
    }

    [Test]
    public async Task Ties_compares_what_members_did()
    {
        string a = Write("a.rec", _ => { });
        string b = Write("b.rec", run => run.Members[2].Grants[4].Messages.Reverse());

        var (strict, _, _) = await RunAsync("diff", a, b);
        var (loose, output, _) = await RunAsync("diff", a, b, "--ties");

        Assert.That(strict, Is.EqualTo(ExitCode.CheckFailed));
        Assert.That(loose, Is.EqualTo(ExitCode.Fine));
        Assert.That(output, Does.StartWith("equal in every commit and state checksum\n"));
    }

    [Test]
    public async Task A_torn_record_is_compared_as_far_as_it_goes_and_reported()
    {
        string a = Write("a.rec", _ => { });
        byte[] whole = File.ReadAllBytes(a);
        string b = Path.Combine(_folder, "b.rec");
        File.WriteAllBytes(b, [.. whole, .. whole[..11]]);

        var (code, output, errors) = await RunAsync("diff", a, b);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.StartWith("equal in every grant and message\n"));
        Assert.That(output, Does.Contain("B: gudp 0.1.0, 3 members, 33 grants, complete").And.Contain(
            "; torn: the head of the last block is not whole, 11 bytes from byte " + whole.Length));
    }

    [Test]
    public async Task A_file_that_cannot_be_read_is_a_usage_error_that_names_it()
    {
        string a = Write("a.rec", _ => { });
        string text = Path.Combine(_folder, "text.rec");
        File.WriteAllText(text, "max rounds = 3");
        string damaged = Path.Combine(_folder, "damaged.rec");
        byte[] bytes = File.ReadAllBytes(a);
        bytes[9] ^= 1;
        File.WriteAllBytes(damaged, bytes);

        var missing = await RunAsync("diff", a, Path.Combine(_folder, "none.rec"));
        var other = await RunAsync("diff", text, a);
        var broken = await RunAsync("diff", a, damaged);
        var folder = await RunAsync("diff", a, a, "--report", _folder);
        var alone = await RunAsync("diff", a);

        Assert.That(missing.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(missing.Errors, Does.Contain("none.rec' cannot be read"));
        Assert.That(other.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(other.Errors, Does.Contain("text.rec' cannot be compared: This is no run record"));
        Assert.That(broken.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(broken.Errors, Does.Contain("damaged").And.Contain("(at byte 8)"));
        Assert.That(folder.Code, Is.EqualTo(ExitCode.Fine), "nothing is written about equal runs");
        Assert.That(alone.Code, Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public async Task A_report_that_cannot_be_written_is_a_usage_error()
    {
        string a = Write("a.rec", _ => { });
        string b = Write("b.rec", run => run.Members[0].Grants[4].Messages.RemoveAt(0));

        var (code, _, errors) = await RunAsync("diff", a, b, "--report", _folder);

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.Contain("cannot be written"));
    }

    private string Write(string name, Action<RecordedRun> change)
    {
        RecordedRun run = RecordedRun.Of(members: 3, grants: 10, messages: 2);
        change(run);
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, run.Write().ToArray());
        return path;
    }
}

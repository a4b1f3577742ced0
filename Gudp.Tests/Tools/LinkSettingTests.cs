using Gudp.Core.Simulation;
using Gudp.Tools.Relay;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class LinkSettingTests
{
    private static readonly LinkModel Base = new() { Delay = TimeSpan.FromMilliseconds(1), LossPpm = 7 };

    private static IEnumerable<TestCaseData> Settings()
    {
        yield return new("delay=20ms", Base with { Delay = TimeSpan.FromMilliseconds(20) });
        yield return new("delay=0", Base with { Delay = TimeSpan.Zero });
        yield return new("jitter=1s", Base with { Jitter = TimeSpan.FromSeconds(1) });
        yield return new("loss=5%", Base with { LossPpm = 50_000 });
        yield return new("loss=5", Base with { LossPpm = 50_000 });
        yield return new("burst=0.1%/20", Base with { BurstPpm = 1_000, BurstPackets = 20 });
        yield return new("duplicate=1%", Base with { DuplicatePpm = 10_000 });
        yield return new("reorder=1%", Base with { ReorderPpm = 10_000 });
        yield return new("corrupt=1%", Base with { CorruptPpm = 10_000 });
        yield return new("rate=1MB/s", Base with { RateBytesPerSecond = 1_000_000 });
        yield return new("queue=64KB", Base with { QueueBytes = 64_000 });
        yield return new("mtu=1280B", Base with { LargestBytes = 1_280 });
        yield return new("outage=5s/2s", Base with
        {
            OutageEvery = TimeSpan.FromSeconds(7),
            OutageFor = TimeSpan.FromSeconds(2),
        });
        yield return new("clog=1%/200ms", Base with { ClogPpm = 10_000, ClogFor = TimeSpan.FromMilliseconds(200) });
        yield return new("loss=5%, delay=20ms", Base with { LossPpm = 50_000, Delay = TimeSpan.FromMilliseconds(20) });
    }

    [TestCaseSource(nameof(Settings))]
    public void A_text_changes_what_it_names_and_nothing_else(string text, LinkModel expected)
    {
        bool isRead = LinkSetting.TryApplyAll(Base, text, out LinkModel changed, out string problem);

        Assert.That((isRead, changed, problem), Is.EqualTo((true, expected, string.Empty)));
        Assert.That(changed.Validate, Throws.Nothing);
    }

    [Test]
    public void Every_setting_is_tried_above()
        => Assert.That(
            LinkSetting.All.Select(setting => setting.Name),
            Is.SubsetOf(Settings().Select(given => ((string)given.Arguments[0]!).Split('=')[0])));

    [TestCase("loss", "'loss' is not NAME=VALUE with one of the names delay, ")]
    [TestCase("los=5%", "'los=5%' is not NAME=VALUE with one of the names delay, ")]
    [TestCase("", "'' is not NAME=VALUE")]
    [TestCase("loss=5%,", "'' is not NAME=VALUE")]
    [TestCase("loss=101%", "'101%' is not a percentage from 0% to 100%, such as 5% or 0.1%.")]
    [TestCase("delay=20", "'20' is not a time such as ")]
    [TestCase("rate=10", "'10' is not a rate in bits or bytes such as ")]
    [TestCase("queue=10", "'10' is not a size such as ")]
    [TestCase("mtu=65508B", "'65508B' is not a size of at most 65507B")]
    [TestCase("burst=1%", "'1%' is not a percentage and a count from 1 to 64, such as 0.1%/20.")]
    [TestCase("burst=1%/65", "'1%/65' is not a percentage and a count")]
    [TestCase("outage=5s", "'5s' is not two times such as 5s/2s.")]
    [TestCase("clog=200ms", "'200ms' is not a percentage and a time")]
    public void What_cannot_be_read_is_told_in_a_sentence(string text, string beginning)
    {
        bool isRead = LinkSetting.TryApplyAll(Base, text, out _, out string problem);

        Assert.That(isRead, Is.False);
        Assert.That(problem, Does.StartWith(beginning).And.EndsWith("."));
    }
}

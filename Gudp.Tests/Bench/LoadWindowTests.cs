using System.Diagnostics;
using Gudp.Bench.Load;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class LoadWindowTests
{
    private static readonly LoadTiming Timing = new()
    {
        WarmUp = TimeSpan.FromSeconds(3),
        Span = TimeSpan.FromSeconds(2),
    };

    private LoadTraffic _traffic;

    [Test]
    public void Only_what_happens_between_the_edges_counts()
    {
        LoadWindow window = new(Timing, () => _traffic);
        window.Look(At(10), sent: 1, arrived: 0);

        _traffic = new LoadTraffic(100, 1_000, 1, 2, 3);
        bool begins = window.Look(At(13), sent: 500, arrived: 400);
        _traffic = new LoadTraffic(150, 1_600, 1, 6, 4);
        window.Look(At(15), sent: 900, arrived: 700);

        NodeResult result = window.Result(new NodeResult());
        Assert.That(begins, Is.True);
        Assert.That((result.Sent, result.Arrived), Is.EqualTo((400L, 300L)));
        Assert.That(result.Seconds, Is.EqualTo(2).Within(1e-6));
        Assert.That(result.Traffic, Is.EqualTo(new LoadTraffic(50, 600, 0, 4, 4)));
    }

    [Test]
    public void It_begins_once()
    {
        LoadWindow window = new(Timing, () => _traffic);
        window.Look(At(0), 1, 1);

        bool[] begins = [window.Look(At(2.9), 1, 1), window.Look(At(3), 1, 1), window.Look(At(3.1), 1, 1)];

        Assert.That(begins, Is.EqualTo(new[] { false, true, false }));
        Assert.That(window.HasEnded, Is.False);
    }

    [Test]
    public void A_late_look_makes_a_longer_window_and_no_wrong_rate()
    {
        LoadWindow window = new(Timing, () => _traffic);
        window.Look(At(0), 0, 0);
        window.Look(At(3), 0, 1_000);

        window.Look(At(8), 0, 6_000);

        NodeResult result = window.Result(new NodeResult());
        Assert.That(result.Arrived / result.Seconds, Is.EqualTo(1_000).Within(0.01));
    }

    [Test]
    public void The_work_is_over_a_while_after_the_window()
    {
        LoadWindow window = new(Timing, () => _traffic);
        TimeSpan tail = TimeSpan.FromSeconds(1);
        bool isOverBefore = window.IsOver(At(100), tail);

        window.Look(At(100), 1, 0);

        Assert.That(isOverBefore, Is.False);
        Assert.That((window.IsOver(At(105.9), tail), window.IsOver(At(106.1), tail)), Is.EqualTo((false, true)));
    }

    [Test]
    public void A_window_without_its_end_measured_nothing()
    {
        LoadWindow window = new(Timing, () => _traffic);
        window.Look(At(0), 0, 0);
        window.Look(At(3), 10, 10);

        NodeResult result = window.Result(new NodeResult { Errors = 1 });

        Assert.That((result.Seconds, result.Arrived, result.Errors), Is.EqualTo((0.0, 0L, 1L)));
    }

    [Test]
    public void What_one_end_does_not_count_is_not_known_of_both()
    {
        LoadTraffic counted = new(1, 2, 3, 4, 5);

        Assert.That(counted.With(LoadTraffic.Unknown), Is.EqualTo(LoadTraffic.Unknown));
        Assert.That(counted.With(new LoadTraffic(1, 1, 1, 1, 9)), Is.EqualTo(new LoadTraffic(2, 3, 4, 5, 9)));
    }

    private static long At(double seconds) => (long)(seconds * Stopwatch.Frequency);
}

using Gudp.Bench.Load;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>Real processes, for a moment: everything arrives, and what is measured has a value. No time is judged.</summary>
[TestFixture]
public sealed class LoadRunTests
{
    private static readonly LoadTiming Moment = new()
    {
        WarmUp = TimeSpan.FromMilliseconds(50),
        Span = TimeSpan.FromMilliseconds(100),
    };

    [TestCase(LoadSystems.Gudp, "one-way", 1)]
    [TestCase(LoadSystems.Gudp, "n-to-1", 3)]
    [TestCase(LoadSystems.TcpCoalesced, "two-way", 1)]
    public async Task A_stream_arrives_whole(string system, string work, int peers)
    {
        LoadCell cell = new(system, LoadNames.Read(work), 256, peers);

        LoadSample sample = await LoadRun.MeasureAsync(cell, Moment);

        Assert.That((sample.Errors, sample.Fault), Is.EqualTo((0L, (string?)null)));
        Assert.That(sample.MessagesPerSecond, Is.GreaterThan(0));
        Assert.That(sample.ProcessorMicroseconds, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_question_is_answered_and_its_way_is_timed()
    {
        LoadCell cell = new(LoadSystems.Gudp, LoadWork.RequestResponse, 64, 1) { Waiting = LoadWaiting.Block };

        LoadSample sample = await LoadRun.MeasureAsync(cell, Moment with { Span = TimeSpan.FromMilliseconds(500) });

        Assert.That((sample.Errors, sample.Fault), Is.EqualTo((0L, (string?)null)));
        Assert.That(sample.Spans.Count, Is.GreaterThan(0));
        Assert.That(sample.Spans.Percentile(50), Is.LessThanOrEqualTo(sample.Spans.MostMicroseconds));
    }

    // The draws of the relay are the same in every run, and enough datagrams pass to lose some.
    [Test]
    public async Task What_a_relay_loses_is_sent_again_and_counted()
    {
        LoadCell cell = new(LoadSystems.Gudp, LoadWork.OneWay, 1_024, 1) { Impairment = "loss=20%", Rate = 500 };

        LoadSample sample = await LoadRun.MeasureAsync(cell, Moment with { Span = TimeSpan.FromMilliseconds(600) });

        Assert.That((sample.Errors, sample.Fault), Is.EqualTo((0L, (string?)null)));
        Assert.That(sample.Traffic.Retransmissions, Is.GreaterThan(0));
        Assert.That(sample.Traffic.PacketsLost, Is.GreaterThan(0));
        Assert.That(sample.PacketsPerSecond, Is.GreaterThan(0));
    }
}

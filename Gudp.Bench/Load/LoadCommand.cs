using System.Globalization;
using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Load;

/// <summary>One cell, measured as often as asked: <c>load [options]</c>.</summary>
internal sealed class LoadCommand
{
    private const int MostBytes = 16 * 1024 * 1024;
    private const int MostPeers = 10_000;
    private const int MostRounds = 1_000;
    private const int MostBurst = 1_000_000;
    private const double MostRate = 1e9;
    private const double MostSeconds = 3_600;

    // Nothing is sealed before the issue that brings it (#7): better no figure than one that says something else.
    private const string NoEncryption = "--encrypt is refused: nothing is sealed yet, all connections are Plain.";

    private LoadCell _cell = new(LoadSystems.Gudp, LoadWork.OneWay, 1_024, 1);
    private LoadTiming _timing = new();
    private int _rounds = 1;
    private bool _isEncrypted;

    internal LoadCell Cell => _cell;

    /// <returns>0: measured without a fault; 1: with one, or not here; 2: the arguments name something else.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter log)
    {
        LoadCommand command = new();
        return command.TryRead(arguments, log) ? await command.MeasureAsync(log).ConfigureAwait(false) : 2;
    }

    /// <returns>False: what is wrong stands in the log, with what is allowed.</returns>
    internal bool TryRead(IReadOnlyList<string> arguments, TextWriter log)
    {
        BenchArguments options = new("load");
        AddWork(options);
        AddChoices(options);
        AddTiming(options);

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return false;
        }

        string? refusal = _isEncrypted ? NoEncryption : LoadSystems.Refusal(_cell);

        if (refusal is not null)
        {
            log.WriteLine(refusal);
        }

        return refusal is null;
    }

    private void AddWork(BenchArguments options)
        => options
            .Name("--system", LoadSystems.All, name => _cell = _cell with { System = name })
            .Name("--work", LoadNames.All, name => _cell = _cell with { Work = LoadNames.Read(name) })
            .Count("--size", (LoadMessage.LeastBytes, MostBytes), bytes => _cell = _cell with { Bytes = bytes })
            .Count("--peers", (1, MostPeers), peers => _cell = _cell with { Peers = peers })
            .Number("--rate", (0, MostRate), rate => _cell = _cell with { Rate = rate })
            .Count("--burst", (0, MostBurst), burst => _cell = _cell with { Burst = burst })
            .Value("--impair", LoadImpairment.Form, TryImpair);

    private void AddChoices(BenchArguments options)
        => options
            .Flag("--block", () => _cell = _cell with { Waiting = LoadWaiting.Block })
            .Flag("--no-offload", () => _cell = _cell with { HasOffload = false })
            .Flag("--framework", () => _cell = _cell with { IsFrameworkOnly = true, HasOffload = false })
            .Name("--mode", Enum.GetNames<LaneMode>(), name => Choose(_cell.Gudp with { Mode = Enum.Parse<LaneMode>(name) }))
            .Name("--receipts", ["received", "taken"], name => Choose(_cell.Gudp with
            {
                NotifyReceived = name == "received",
                NotifyTaken = name == "taken",
            }))
            .Flag("--encrypt", () => _isEncrypted = true);

    private void AddTiming(BenchArguments options)
        => options
            .Flag("--pin", () => _timing = _timing with { IsPinned = true })
            .Count("--rounds", (1, MostRounds), rounds => _rounds = rounds)
            .Number("--warm", (0, MostSeconds), seconds => _timing = _timing with { WarmUp = TimeSpan.FromSeconds(seconds) })
            .Number(
                "--seconds", (0.01, MostSeconds), seconds => _timing = _timing with { Span = TimeSpan.FromSeconds(seconds) });

    private void Choose(GudpChoices choices) => _cell = _cell with { Gudp = choices };

    private bool TryImpair(string text)
    {
        _cell = _cell with { Impairment = text };
        return LoadImpairment.TryRead(text, out _, out _);
    }

    private async Task<int> MeasureAsync(TextWriter log)
    {
        if (LoadSystems.Missing(_cell.System) is { } missing)
        {
            log.WriteLine($"{_cell.System} is not here: {missing}");
            return 1;
        }

        log.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{_cell}; warm-up {_timing.WarmUp.TotalSeconds} s, {_timing.Span.TotalSeconds} s measured"));
        long errors = 0;

        for (int round = 0; round < _rounds; round++)
        {
            LoadSample sample = await LoadRun.MeasureAsync(_cell, _timing).ConfigureAwait(false);
            errors += sample.Errors;
            log.WriteLine(LineOf(sample));
        }

        return errors == 0 ? 0 : 1;
    }

    private string LineOf(LoadSample sample)
    {
        string intended = _cell.Rate == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" of {_cell.Rate * _cell.SendingLinks:#,0} meant");
        string wire = sample.Traffic == LoadTraffic.Unknown ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $" {sample.PacketsPerSecond:#,0} packets/s, {sample.WireMegabytesPerSecond:#,0.0} MB/s of them;"
            + $" packets lost {sample.Traffic.PacketsLost}, sent again {sample.Traffic.Retransmissions},"
            + $" one piece at most {sample.Traffic.MostRetransmissions} times;");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sample.MessagesPerSecond:#,0} /s{intended}, {sample.MegabytesPerSecond:#,0.0} MB/s;{wire}"
            + $" us p50 {sample.Spans.Percentile(50):0.0} p90 {sample.Spans.Percentile(90):0.0}"
            + $" p99 {sample.Spans.Percentile(99):0.0} p99.9 {sample.Spans.Percentile(99.9):0.0}"
            + $" max {sample.Spans.MostMicroseconds:0.0}, delayed {sample.DelayedPercent:0.##} %;"
            + $" CPU {sample.ProcessorMicroseconds:0.###} us, allocated {sample.AllocatedBytes:0.####} B,"
            + $" memory {sample.MemoryMegabytes:0} MB, lost {sample.LostPercent:0.##} %, errors {sample.Errors} {sample.Fault}").TrimEnd();
    }
}

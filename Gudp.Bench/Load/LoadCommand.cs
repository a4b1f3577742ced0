using System.Globalization;
using Gudp.Messaging;

namespace Gudp.Bench.Load;

/// <summary>One cell, measured as often as asked: <c>load [options]</c>.</summary>
internal sealed class LoadCommand
{
    private const string Usage = """
        load [--system NAME] [--work NAME] [--size BYTES] [--peers N] [--rate PER_SECOND] [--burst N] [--rounds N]
             [--block] [--no-offload] [--mode MODE] [--receipts received|taken] [--encrypt]
             [--pin] [--warm SECONDS] [--seconds SECONDS]
        """;

    private LoadCell _cell = new(LoadSystems.Gudp, LoadWork.OneWay, 1_024, 1);
    private LoadTiming _timing = new();
    private int _rounds = 1;

    /// <returns>0: measured without a fault; 1: with one; 2: the arguments name something else.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter log)
    {
        LoadCommand command = new();

        if (!command.TryRead(arguments))
        {
            log.WriteLine(Usage);
            log.WriteLine($"systems: {string.Join(", ", LoadSystems.All)}; works: {string.Join(", ", LoadNames.All)}");
            return 2;
        }

        return await command.MeasureAsync(log).ConfigureAwait(false);
    }

    private bool TryRead(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            if (!TryFlag(arguments[i]) && (++i == arguments.Count || !TryTake(arguments[i - 1], arguments[i])))
            {
                return false;
            }
        }

        return _cell.Bytes <= LoadSystems.MostBytes(_cell.System) && _cell.Bytes >= LoadMessage.LeastBytes;
    }

    private bool TryFlag(string name)
    {
        switch (name)
        {
            case "--block":
                _cell = _cell with { Waiting = LoadWaiting.Block };
                return true;
            case "--no-offload":
                _cell = _cell with { HasOffload = false };
                return true;
            case "--encrypt":
                _cell = _cell with { Gudp = _cell.Gudp with { IsEncrypted = true } };
                return true;
            case "--pin":
                _timing = _timing with { IsPinned = true };
                return true;
            default:
                return false;
        }
    }

    private bool TryTake(string name, string value)
    {
        double number = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double read) ? read : -1;
        return name switch
        {
            "--system" => LoadSystems.All.Contains(value) && Set(_cell with { System = value }),
            "--work" => LoadNames.TryRead(value, out LoadWork work) && Set(_cell with { Work = work }),
            "--mode" => Enum.TryParse(value, ignoreCase: true, out LaneMode mode)
                && Set(_cell with { Gudp = _cell.Gudp with { Mode = mode } }),
            "--receipts" => value is "received" or "taken" && Set(_cell with
            {
                Gudp = _cell.Gudp with { NotifyReceived = value == "received", NotifyTaken = value == "taken" },
            }),
            "--size" => number > 0 && Set(_cell with { Bytes = (int)number }),
            "--peers" => number is > 0 and < 10_000 && Set(_cell with { Peers = (int)number }),
            "--rate" => number >= 0 && Set(_cell with { Rate = number }),
            "--burst" => number >= 0 && Set(_cell with { Burst = (int)number }),
            "--rounds" => number >= 1 && (_rounds = (int)number) > 0,
            "--warm" => number >= 0 && Set(_timing with { WarmUp = TimeSpan.FromSeconds(number) }),
            "--seconds" => number > 0 && Set(_timing with { Span = TimeSpan.FromSeconds(number) }),
            _ => false,
        };
    }

    private bool Set(LoadCell cell)
    {
        _cell = cell;
        return true;
    }

    private bool Set(LoadTiming timing)
    {
        _timing = timing;
        return true;
    }

    private async Task<int> MeasureAsync(TextWriter log)
    {
        if (LoadSystems.Missing(_cell.System) is { } missing)
        {
            log.WriteLine($"{_cell.System} is not here: {missing}");
            return 1;
        }

        log.WriteLine(_cell);
        long errors = 0;

        for (int round = 0; round < _rounds; round++)
        {
            LoadSample sample = await LoadRun.MeasureAsync(_cell, _timing).ConfigureAwait(false);
            errors += sample.Errors;
            log.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{sample.MessagesPerSecond:#,0} /s, {sample.MegabytesPerSecond:#,0.0} MB/s; us p50 {sample.Spans.Percentile(50):0.0}"
                + $" p90 {sample.Spans.Percentile(90):0.0} p99 {sample.Spans.Percentile(99):0.0}"
                + $" p99.9 {sample.Spans.Percentile(99.9):0.0} max {sample.Spans.MostMicroseconds:0.0};"
                + $" CPU {sample.ProcessorMicroseconds:0.###} us, allocated {sample.AllocatedBytes:0.####} B,"
                + $" memory {sample.MemoryMegabytes:0} MB, lost {sample.LostPercent:0.##} %, errors {sample.Errors} {sample.Fault}"));
        }

        return errors == 0 ? 0 : 1;
    }
}

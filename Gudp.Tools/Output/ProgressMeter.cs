using System.Diagnostics;
using Spectre.Console;

namespace Gudp.Tools.Output;

/// <summary>What progress is counted in.</summary>
internal enum ProgressUnit
{
    /// <summary>Bytes of a file.</summary>
    Bytes,

    /// <summary>Steps of a simulation.</summary>
    Steps,
}

/// <summary>
/// How far a transfer is: a bar on a terminal, else a line now and then, so that a log shows that it still moves.
/// One thread at a time.
/// </summary>
internal sealed class ProgressMeter
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly string _label;
    private readonly long _total;
    private readonly ProgressUnit _unit;
    private readonly ProgressTask? _bar;
    private readonly Action<string> _printLine;
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _lastLine;

    /// <param name="label">What is being done.</param>
    /// <param name="total">The amount that makes it complete.</param>
    /// <param name="unit">What amounts are counted in.</param>
    /// <param name="bar">On a terminal; else null.</param>
    /// <param name="printLine">Else prints a line.</param>
    internal ProgressMeter(string label, long total, ProgressUnit unit, ProgressTask? bar, Action<string> printLine)
    {
        _label = label;
        _total = total;
        _unit = unit;
        _bar = bar;
        _printLine = printLine;
    }

    internal void Report(long done)
    {
        if (_bar is not null)
        {
            _bar.Value = done;
            return;
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);

        if (elapsed - _lastLine >= LineInterval)
        {
            _lastLine = elapsed;
            _printLine(_unit == ProgressUnit.Bytes
                ? $"{_label}: {Units.Bytes(done)} of {Units.Bytes(_total)}, {Units.Rate(done, elapsed)}"
                : $"{_label}: step {done} of {_total}");
        }
    }
}

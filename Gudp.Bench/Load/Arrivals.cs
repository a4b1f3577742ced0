namespace Gudp.Bench.Load;

/// <summary>The messages of one sender, held against what its system promises.</summary>
/// <remarks>Always true: what is no fault arrived once, and in order where that is promised.</remarks>
internal sealed class Arrivals(LoadCell cell)
{
    // Of so many numbers the last arrivals are remembered; no system here holds more under way.
    private const int Remembered = 1 << 16;

    private readonly bool _isOrdered = cell.IsOrdered;

    private long[]? _seen;
    private long _next;

    internal long Arrived { get; private set; }

    internal long Errors { get; private set; }

    internal long Lost { get; private set; }

    internal bool HasEnded { get; private set; }

    /// <summary>The first thing that was wrong; null while nothing is.</summary>
    internal string? Fault { get; private set; }

    internal void Take(long number)
    {
        if (_isOrdered ? number != _next : IsWrong(number))
        {
            Fail($"{number} came when {_next} was due");
        }

        _next = number + 1;
        Arrived++;
    }

    /// <summary>Everything is here; nothing else comes from this sender.</summary>
    /// <param name="sent">So many were sent.</param>
    internal void End(long sent)
    {
        if (HasEnded)
        {
            return;
        }

        HasEnded = true;
        Lost = sent - Arrived;

        if (Lost != 0 && cell.IsWhole)
        {
            Fail($"{Arrived} of {sent} arrived");
        }
    }

    // A relay may double bare datagrams, and nobody promised otherwise.
    private bool IsWrong(long number) => number < 0
        || (cell.IsRising && number < _next)
        || (IsSeen(number) && (cell.Impairment.Length == 0 || LoadSystems.IsReliable(cell.System)));

    private bool IsSeen(long number)
    {
        _seen ??= NewMemory();
        ref long seen = ref _seen[number % Remembered];
        bool isSeen = seen == number;
        seen = number;
        return isSeen;
    }

    private static long[] NewMemory()
    {
        long[] memory = new long[Remembered];
        Array.Fill(memory, -1);
        return memory;
    }

    private void Fail(string what)
    {
        Errors++;
        Fault ??= what;
    }
}

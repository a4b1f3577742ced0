// What a server counts over its whole run, and a client over its life. Nothing that is granted depends on a counter.

using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>Of one run, at its server.</summary>
internal sealed class RunTally
{
    private SequenceCounts _counts;

    internal ref long this[RunCount count] => ref _counts[(int)count];

    /// <summary>Frames that were refused, whatever the error.</summary>
    internal long Refusals { get; private set; }

    internal void Refuse(SequencingError error)
    {
        Refusals++;
        _counts[(int)RunCount.FirstRefused + SequenceCounts.PlaceOf(error)]++;
    }

    /// <summary>As of now, with what the run and its log know themselves.</summary>
    internal RunCounters Read(RunState run)
    {
        this[RunCount.MessagesPublished] = run.Published;
        this[RunCount.MessagesLostBySender] = run.Lost;
        this[RunCount.LogSealed] = run.Log.Next - 1;
        this[RunCount.LogTrimmed] = run.Log.Trimmed;
        this[RunCount.LogMessages] = run.Log.Count;
        this[RunCount.LogBytes] = run.Log.Bytes;
        return new RunCounters(in _counts);
    }
}

/// <summary>Of one member, operator or reader, at its own end.</summary>
internal sealed class ClientTally
{
    private SequenceCounts _counts;

    internal ref long this[ClientCount count] => ref _counts[(int)count];

    internal void Refuse(SequencingError error)
        => _counts[(int)ClientCount.FirstRefused + SequenceCounts.PlaceOf(error)]++;

    /// <returns>True: what means nothing to this end does no harm.</returns>
    internal bool Ignore()
    {
        this[ClientCount.FramesIgnored]++;
        return true;
    }

    internal ClientCounters Read() => new(in _counts);
}

using Gudp.Sequencing;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>What a sealed log must say, with lists and loops only.</summary>
internal sealed class NaiveLog(LogLimits limits, Retention[] channels, IComparer<DeliveryKey> order)
{
    internal sealed record Entry(DeliveryKey Key, int Channel, int Length)
    {
        internal long Number { get; set; }

        internal bool IsGone { get; set; }

        internal bool IsCut { get; set; }

        internal long Bytes => Length + SealedLog.EntryBytes;
    }

    private readonly List<Entry> _sealed = [];
    private Tag _floor;

    internal List<Entry> Pending { get; } = [];

    internal Entry[] Kept => [.. _sealed.Where(entry => !entry.IsGone)];

    internal long Next => _sealed.Count + 1;

    internal int Cuts => _sealed.Count(entry => entry.IsCut);

    internal void Seal(Tag floor)
    {
        _floor = floor;
        Entry[] final = [.. Pending.Where(entry => entry.Key.Arrival < floor).OrderBy(entry => entry.Key, order)];

        foreach (Entry entry in final)
        {
            Pending.Remove(entry);
            entry.Number = Next;
            _sealed.Add(entry);
        }
    }

    internal void Trim()
    {
        for (int channel = 0; channel < channels.Length; channel++)
        {
            Retention wanted = channels[channel];
            Entry[] KeptOfIt() => [.. Kept.Where(entry => entry.Channel == channel)];

            DropWhile(KeptOfIt, kept => kept.Length > wanted.History.Count, isCut: false);
            DropWhile(KeptOfIt, kept => kept.Sum(entry => entry.Bytes) > wanted.MaxBytes, isCut: true);
            DropWhile(KeptOfIt, kept => IsAged(kept, wanted.MaxTicks), isCut: true);
        }

        DropWhile(OldestFirst, kept => kept.Length > limits.Messages, isCut: true);
        DropWhile(OldestFirst, kept => kept.Sum(entry => entry.Bytes) > limits.Bytes, isCut: true);
    }

    internal long FirstOf(int[] of) => _sealed.Where(entry => entry.IsCut && of.Contains(entry.Channel))
        .Select(entry => entry.Number)
        .DefaultIfEmpty()
        .Max() + 1;

    internal bool IsTrimmedAt(Tag tag, int[] of)
        => _sealed.Any(entry => entry.IsCut && of.Contains(entry.Channel) && entry.Key.Arrival >= tag);

    internal long NewestOf(int channel) => Kept.LastOrDefault(entry => entry.Channel == channel)?.Number ?? 0;

    internal long PreviousOf(Entry entry) => Kept
        .Where(other => other.Channel == entry.Channel && other.Number < entry.Number)
        .Select(other => other.Number)
        .DefaultIfEmpty()
        .Max();

    // Those of channels that keep all go first.
    private Entry[] OldestFirst() => [.. Kept.OrderBy(entry => channels[entry.Channel].History.KeepsAll ? 0 : 1)];

    private bool IsAged(Entry[] kept, long ticks) => ticks < long.MaxValue && !_floor.IsInfinite
        && kept.Length > 0 && kept[0].Key.Arrival.Time < _floor.Time - ticks;

    private static void DropWhile(Func<Entry[]> kept, Func<Entry[], bool> isTooMuch, bool isCut)
    {
        for (Entry[] all = kept(); isTooMuch(all); all = kept())
        {
            all[0].IsGone = true;
            all[0].IsCut = isCut;
        }
    }
}

// What channels with limits of their own keep as of a tag, final or not (clause ). Whoever joins there is given that
// and no more, so that neither when it connects nor how far the others have come by then decides it.
//
// Always true: of a channel it is the longest run of messages up to the tag that is within the channel's limits.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Log;

/// <summary>A message that is not final, and the number it has if nothing comes before it any more.</summary>
internal readonly record struct PendingMessage(long Number, DeliveryKey Key, Letter Letter);

internal sealed class ChannelPast(SealedLog log)
{
    private readonly Dictionary<int, Part> _parts = [];

    /// <param name="channels">The joiner's, without repetition.</param>
    /// <param name="join">The tag.</param>
    /// <param name="pending">What is not final, in the order of the run.</param>
    internal void Find(ReadOnlySpan<int> channels, Tag join, List<PendingMessage> pending)
    {
        _parts.Clear();

        foreach (int channel in channels)
        {
            if (log.TrackOf(channel).IsLimited)
            {
                _parts[channel] = new Part(log.TrackOf(channel), join);
            }
        }

        for (int i = pending.Count - 1; i >= 0 && _parts.Count > 0; i--)
        {
            PendingMessage message = pending[i];

            if (_parts.TryGetValue(message.Letter.Channel, out Part? part))
            {
                part.Add(message.Key, message.Letter);
            }
        }

        foreach ((int channel, Part part) in _parts)
        {
            long number = log.NewestOf(channel);

            while (!part.IsFull && number > 0 && log.TryRead(number, out SealedMessage message))
            {
                part.Add(message.Key, message.Letter);
                number = message.Previous;
            }
        }
    }

    /// <summary>Whether a message of one of the channels is kept.</summary>
    /// <param name="nominal">Its place in the run.</param>
    /// <param name="channel">Its channel.</param>
    /// <param name="isCut">It is not, because of a limit and not of the kind of history.</param>
    internal bool Has(in DeliveryKey nominal, int channel, out bool isCut)
    {
        Part? part = _parts.GetValueOrDefault(channel);
        bool isKept = part is null || (part.First is DeliveryKey first && log.Compare(in nominal, in first) >= 0);
        isCut = !isKept && part!.CutArrival is not null;
        return isKept;
    }

    /// <summary>Whether a limit takes anything that arrives at a tag or later.</summary>
    internal bool IsCutSince(Tag tag)
    {
        foreach (Part part in _parts.Values)
        {
            if (part.CutArrival >= tag)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Of one channel; messages are added from the newest back.</summary>
    private sealed class Part(ChannelTrack track, Tag join)
    {
        private readonly long _least
            = join.Time < long.MinValue + track.MaxTicks ? long.MinValue : join.Time - track.MaxTicks;

        private int _count;
        private long _bytes;

        /// <summary>The oldest that is kept; null if none is.</summary>
        internal DeliveryKey? First { get; private set; }

        /// <summary>Arrival of the newest that a limit takes; null if none does.</summary>
        internal Tag? CutArrival { get; private set; }

        internal bool IsFull { get; private set; }

        internal void Add(DeliveryKey key, Letter letter)
        {
            if (IsFull || key.Arrival > join)
            {
                return;
            }

            _count++;
            _bytes += letter.Length + SealedLog.EntryBytes;
            bool isCut = _bytes > track.MaxBytes || key.Arrival.Time < _least;
            bool isKindOver = _count > track.History.Count;
            IsFull = isCut || isKindOver;
            First = IsFull ? First : key;
            CutArrival = isCut && !isKindOver ? key.Arrival : null;
        }
    }
}

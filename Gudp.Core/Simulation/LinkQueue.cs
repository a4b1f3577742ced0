using System;

namespace Gudp.Core.Simulation;

// Everything is counted in byte ticks per second, bytes times ten million, where a rate times ticks is a whole number:
// nothing is rounded but the moment a datagram leaves, and that to the tick before, without a drift.

/// <summary>What waits for a rate, of one direction or shared by several: drop tail, exact to the fraction of a byte.
/// </summary>
/// <remarks>
/// Always true: _waiting is what the link had left to carry at the moment _at. Datagrams leave in the order they came,
/// also when the rate rises in between; what was given its moment keeps it.
/// </remarks>
internal sealed class LinkQueue
{
    private Int128 _waiting;
    private Instant _at;
    private Instant _lastLeaves;

    /// <summary>Takes a datagram in.</summary>
    /// <param name="model">Rate and queue as they are now.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="now">Never earlier than the time before.</param>
    /// <param name="leaves">When its last byte is carried.</param>
    /// <returns>False: no room.</returns>
    internal bool TryEnter(LinkModel model, int bytes, Instant now, out Instant leaves)
    {
        leaves = now;

        if (model.RateBytesPerSecond == 0)
        {
            (_waiting, _at, _lastLeaves) = (0, default, default);
            return true;
        }

        if (_waiting > 0)
        {
            _waiting = Int128.Max(0, _waiting - Carried(model, _at, now));
        }

        _at = now;
        Int128 added = (Int128)bytes * TimeSpan.TicksPerSecond;

        // An idle link takes any datagram.
        if (_waiting > 0 && _waiting + added > (Int128)model.QueueBytes * TimeSpan.TicksPerSecond)
        {
            return false;
        }

        _waiting += added;
        leaves = Instant.Later(now + TimeFor(model, now, _waiting), _lastLeaves);
        _lastLeaves = leaves;
        return true;
    }

    /// <summary>How long the last datagram that was taken in has still to wait.</summary>
    internal TimeSpan DelayAt(Instant now) => _lastLeaves > now ? _lastLeaves - now : TimeSpan.Zero;

    /// <summary>What a busy link carries between two moments.</summary>
    private static Int128 Carried(LinkModel model, Instant from, Instant to)
    {
        long ticks = (to - from).Ticks;

        if (!model.HasSlowTimes)
        {
            return (Int128)ticks * model.RateBytesPerSecond;
        }

        (long periods, long rest) = Math.DivRem(ticks, model.SlowEvery.Ticks);
        Int128 carried = periods * CarriedInPeriod(model);

        for (Instant at = from; rest > 0;)
        {
            long span = Math.Min(rest, TicksToChange(model, at));
            carried += (Int128)span * model.RateAt(at);
            at += new TimeSpan(span);
            rest -= span;
        }

        return carried;
    }

    /// <summary>How long a busy link takes from a moment on.</summary>
    private static TimeSpan TimeFor(LinkModel model, Instant from, Int128 amount)
    {
        if (!model.HasSlowTimes)
        {
            return new TimeSpan((long)(amount / model.RateBytesPerSecond));
        }

        (Int128 periods, amount) = Int128.DivRem(amount, CarriedInPeriod(model));
        long ticks = (long)periods * model.SlowEvery.Ticks;

        while (true)
        {
            Instant at = from + new TimeSpan(ticks);
            long rate = model.RateAt(at);
            long span = TicksToChange(model, at);

            if (amount <= (Int128)span * rate)
            {
                return new TimeSpan(ticks + (long)(amount / rate));
            }

            amount -= (Int128)span * rate;
            ticks += span;
        }
    }

    private static Int128 CarriedInPeriod(LinkModel model)
        => ((Int128)(model.SlowEvery - model.SlowFor).Ticks * model.RateBytesPerSecond)
            + ((Int128)model.SlowFor.Ticks * model.SlowRateBytesPerSecond);

    private static long TicksToChange(LinkModel model, Instant at)
    {
        long place = at.Ticks % model.SlowEvery.Ticks;
        long begin = (model.SlowEvery - model.SlowFor).Ticks;
        return (place < begin ? begin : model.SlowEvery.Ticks) - place;
    }
}

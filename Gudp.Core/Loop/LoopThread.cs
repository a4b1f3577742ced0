using System;
using System.Threading;

namespace Gudp.Core.Loop;

/// <summary>The daemon's thread: watches or rests, as users leave it to it. Ends when asked to, or with a fault.</summary>
internal sealed class LoopThread
{
    private readonly Turns _turns;
    private readonly Thread _thread;

    internal LoopThread(string name, Turns turns)
    {
        _turns = turns;
        _thread = new Thread(turns.ServeUntilStopped) { IsBackground = true, Name = name };
    }

    internal bool IsCurrent => Thread.CurrentThread == _thread;

    internal void Start() => _thread.Start();

    /// <summary>Asks for the end and waits for it. Not from the loop thread itself.</summary>
    internal void Stop()
    {
        _turns.AskToStop();
        _thread.Join();
        _turns.Close();
    }
}

/// <summary>The one place that turns a <see cref="TimeProvider"/> into the engine's moments.</summary>
internal sealed class LoopClock
{
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly bool _isInTicks;
    private readonly bool _isInNanoseconds;

    internal LoopClock(TimeProvider time)
    {
        _time = time;

        // The engine adds spans to moments: an origin of its own keeps them far from both ends of the range.
        _origin = time.GetTimestamp();

        // Virtual time needs no conversion, which would be floating point and be asked for at every turn.
        _isInTicks = time.TimestampFrequency == TimeSpan.TicksPerSecond;
        _isInNanoseconds = time.TimestampFrequency == TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
    }

    internal Instant Now => _isInTicks
        ? new(_time.GetTimestamp() - _origin)
        : _isInNanoseconds ? new((_time.GetTimestamp() - _origin) / TimeSpan.NanosecondsPerTick)
        : new(_time.GetElapsedTime(_origin).Ticks);
}

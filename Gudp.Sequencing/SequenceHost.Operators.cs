using System;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <content>
/// What a <see cref="SequenceOperator"/> does over the network: the same frames, judged by the same engine.
/// </content>
public sealed partial class SequenceHost
{
    // Members' links count from 0.
    private const long OperatorLink = -1;

    private readonly OperatorEngine _operator = new("host");

    /// <summary>Grants nobody at <paramref name="barrier"/> or above until it is moved or cleared.</summary>
    /// <param name="barrier">Takes the place of the last one.</param>
    /// <returns>How the run stands then.</returns>
    public RunStatus SetBarrier(Tag barrier)
    {
        _operator.Hold(BarrierAction.Set, barrier, 0);
        return Operate();
    }

    /// <summary>Takes the barrier away, and the steps that were asked for.</summary>
    /// <returns>How the run stands then.</returns>
    public RunStatus ClearBarrier()
    {
        _operator.Hold(BarrierAction.Clear, Tag.Zero, 0);
        return Operate();
    }

    /// <summary>Lets the next tags pass at which anybody can be granted, and holds again.</summary>
    /// <param name="steps">How many tags; 1 or more.</param>
    /// <returns>How the run stands then; nobody has gone on before the next <see cref="Turn"/>.</returns>
    public RunStatus Step(long steps = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        _operator.Hold(BarrierAction.Step, Tag.Zero, Math.Min(steps, Barriers.MaxSteps));
        return Operate();
    }

    /// <summary>
    /// Ends the run for everybody at a tag above all grants given. It comes from outside: the run is influenced.
    /// </summary>
    /// <param name="at">Null: as early as possible.</param>
    /// <returns>How the run stands then.</returns>
    /// <exception cref="SequencingException"><see cref="SequencingError.PastTag"/>: somebody is beyond.</exception>
    public RunStatus Stop(Tag? at = null)
    {
        _operator.Stop(at);
        return Operate();
    }

    /// <summary>Lets a run start that <see cref="SequencingConfig.StartsOnCommand"/>.</summary>
    /// <returns>How the run stands then.</returns>
    public RunStatus Start()
    {
        _operator.Start();
        return Operate();
    }

    private RunStatus Operate()
    {
        foreach (SequenceClient client in _played)
        {
            client.SendCommits();
        }

        _server.AllowOperator(OperatorLink);

        while (_operator.TryPeekOutgoing(out ReadOnlySpan<byte> question))
        {
            _server.HandleMessage(OperatorLink, question, _clock.Now);
            _operator.OnSent();
            HandOut();
        }

        return _operator.Error == SequencingError.None
            ? _operator.Status!
            : throw new SequencingException(_operator.Error, _operator.ErrorDetail);
    }
}

using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>
/// A deterministic member that saves itself at every sequence point: what it says is a function of all it was given.
/// </summary>
internal sealed class Walker(LinkedRun run, LinkedMember member, int steps, string channel = "x")
{
    private string _state = "";
    private int _step;
    private (ResumeTicket Ticket, string State, int Step)? _saved;
    private bool _isBack;

    internal LinkedRun Run => run;

    internal LinkedMember Member => member;

    internal bool IsDone { get; private set; }

    /// <summary>Takes a grant if there is one, and says what follows from it.</summary>
    internal void Act()
    {
        MemberEngine engine = member.Engine;

        if (engine.TryTakeGrant(out Grant grant))
        {
            foreach (SequencedMessage message in grant.Messages)
            {
                _state += $"{message.Sender}{message.Arrival}{Encoding.UTF8.GetString(message.Payload.Span)};";
                _state = _state[^Math.Min(_state.Length, 60)..];
            }

            _saved = (engine.CreateTicket(), _state, _step);
            Say(engine);
        }
        else if (_isBack && engine.IsAtSequencePoint)
        {
            Say(engine);
        }
    }

    /// <summary>The process dies, and another one begins with what was saved last.</summary>
    internal void Kill(bool isNoticed)
    {
        if (_saved is not var (ticket, state, step))
        {
            // Nothing was said yet: it joins once more.
            run.Drop(member);
            member.Engine = new MemberEngine(MemberOptions.From(run.Config, member.Engine.Name, run.Layout.ConfigHash));
            return;
        }

        run.Restart(member, ticket, isNoticed);
        (_state, _step) = (state, step);
        _isBack = true;
        IsDone = false;
    }

    private void Say(MemberEngine engine)
    {
        _isBack = false;

        if (_step == steps)
        {
            engine.Resign();
            IsDone = true;
            return;
        }

        _step++;
        engine.Publish(channel, Encoding.UTF8.GetBytes($"{_step}:{_state}"), null);

        if (_step % 3 == 0)
        {
            engine.Flush();
        }

        engine.Request(AdvanceMode.Next, engine.Now + Delay.Ticks(2));
    }
}

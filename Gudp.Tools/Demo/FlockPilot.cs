// What one member of a flock does, as a function of its grants alone: it moves its own share, takes in the others', and
// if a member was taken out of the run, moves that one's share along too. Everybody left does the same, from the same
// event at the same tag; so the flock flies on as if nobody had gone.

using System.Globalization;
using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>One member's share of the simulation, without the network.</summary>
internal sealed class FlockPilot
{
    private readonly FlockModel _model;
    private readonly Range _share;
    private readonly int _members;
    private readonly byte[] _bytes;
    private readonly List<FlockDeparture> _departures;

    internal FlockPilot(FlockModel model, int member, int members)
        : this(model, member, members, [])
    {
    }

    private FlockPilot(FlockModel model, int member, int members, List<FlockDeparture> departures)
    {
        _model = model;
        _members = members;
        _share = model.ShareOf(member, members);
        _bytes = new byte[model.ShareBytes(_share)];
        _departures = departures;
    }

    /// <summary>The step everything is known at.</summary>
    internal int StepNumber => _model.StepNumber;

    /// <summary>Messages taken in.</summary>
    internal long Messages { get; private set; }

    /// <summary>Who was taken out of the run, in the order of the events; null if nobody was.</summary>
    internal IReadOnlyList<FlockDeparture>? Departures => _departures.Count > 0 ? [.. _departures] : null;

    /// <inheritdoc cref="FlockModel.Checksum"/>
    internal ulong Checksum() => _model.Checksum();

    /// <summary>Goes on where another process was.</summary>
    internal static FlockPilot Restore(FlockSave save, int agents, int member, int members)
        => new(FlockModel.Restore(agents, save.Flock), member, members, [.. save.Departures])
        {
            Messages = save.Messages,
        };

    /// <summary>All there is to this member at a sequence point, beside the ticket.</summary>
    internal FlockSave Save(ResumeTicket ticket)
    {
        byte[] flock = new byte[_model.ShareBytes(..)];
        _model.WriteShare(.., flock);

        return new FlockSave
        {
            Ticket = ticket.ToArray(),
            Flock = flock,
            Messages = Messages,
            Departures = _departures,
        };
    }

    /// <summary>Moves to the next step.</summary>
    /// <returns>The share to publish; valid until the next move.</returns>
    internal ReadOnlySpan<byte> Move()
    {
        _model.Step(_share);

        foreach (FlockDeparture departure in _departures)
        {
            _model.MoveAlong(_model.ShareOf(departure.Member, _members));
        }

        return _bytes.AsSpan(0, _model.WriteShare(_share, _bytes));
    }

    /// <summary>Takes in what the others moved meanwhile.</summary>
    internal void Take(IReadOnlyList<SequencedMessage> messages)
    {
        foreach (SequencedMessage message in messages)
        {
            if (message.Channel == SystemEvent.Channel)
            {
                TakeEvent(message);
            }
            else
            {
                _model.ReadShare(message.Payload.Span);
            }
        }

        Messages += messages.Count;
    }

    private void TakeEvent(in SequencedMessage message)
    {
        if (!SystemEvent.TryRead(message, out SystemEvent news) || news.Kind != SystemEventKind.Lost)
        {
            return;
        }

        int member = int.Parse(news.Member.AsSpan(1), CultureInfo.InvariantCulture);
        _departures.Add(new FlockDeparture(member, news.Tag.Time, message.Arrival.Time));
        _model.MoveAlong(_model.ShareOf(member, _members));
    }
}

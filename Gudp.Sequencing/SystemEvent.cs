using Gudp.Sequencing.Config;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>What the system channel tells of a member.</summary>
public enum SystemEventKind
{
    /// <summary>It joined after the start; <see cref="SystemEvent.Tag"/> is its first grant.</summary>
    Joined = 0,

    /// <summary>It resigned; <see cref="SystemEvent.Tag"/> is its last grant.</summary>
    Resigned = 1,

    /// <summary>It was lost and taken out; <see cref="SystemEvent.Tag"/> is its last grant.</summary>
    Lost = 2,

    /// <summary>A sponsor admits it; <see cref="SystemEvent.Tag"/> is where it joins.</summary>
    Admitted = 3,
}

/// <summary>
/// A message of the system channel (lock-time 8.3): who came and who went, at tags that are the same in every execution.
/// </summary>
/// <remarks>
/// Opt-in: a member that names <see cref="Channel"/> in <see cref="MemberDeclaration.Subscribe"/> or, as a rule, in
/// <see cref="MemberDeclaration.SubscribeQuietly"/> gets these messages among all others, in their order; while the run
/// has the channel, every member holds those who hear it, non-senders too. <see cref="SequencedMessage.Sender"/> is the
/// member the event is about, or the sponsor. The roster's members of the start tag are not told: everybody knows them.
/// </remarks>
/// <param name="Kind">What.</param>
/// <param name="Member">Whom it is about.</param>
/// <param name="Tag">Where.</param>
public readonly record struct SystemEvent(SystemEventKind Kind, string Member, Tag Tag)
{
    /// <summary>The system channel's name.</summary>
    public const string Channel = "gudp/system";

    /// <summary>Reads a message of the system channel (clause ).</summary>
    /// <param name="message">Any message.</param>
    /// <param name="systemEvent">What it says.</param>
    /// <returns>False if it is of another channel, or of a later version.</returns>
    public static bool TryRead(in SequencedMessage message, out SystemEvent systemEvent)
    {
        FrameReader reader = new(message.Payload.Span);
        systemEvent = new SystemEvent(
            (SystemEventKind)reader.ReadByte(), reader.ReadText(SequencingRules.MaxNameBytes), reader.ReadTag());

        // What follows an admission is the declaration, for the server.
        return message.Channel == Channel && !reader.IsMalformed && systemEvent.Kind <= SystemEventKind.Admitted
            && (reader.IsAtEnd || systemEvent.Kind == SystemEventKind.Admitted);
    }

    internal void Write(FrameWriter writer)
    {
        writer.WriteByte((byte)Kind);
        writer.WriteText(Member);
        writer.WriteTag(Tag);
    }
}

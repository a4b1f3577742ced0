using System.Buffers.Binary;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Processes;

/// <summary>
/// A member that is a function of its grants, and all of it a few numbers: how much to say, when and where to go next
/// follow from a hash of everything it was given. What each member says is numbered, so that what is missing and what
/// comes twice is seen at once.
/// </summary>
internal sealed class CountingMember
{
    internal const int Bytes = (3 + Members) * sizeof(long);

    /// <summary>Where the run ends.</summary>
    internal const long End = 400;

    /// <summary>The one that is killed; the others live in the test's process.</summary>
    internal const string Victim = "b";

    private const int Members = 3;
    private const int MessageBytes = 2 * sizeof(long);

    private readonly long[] _heard = new long[Members];
    private ulong _hash = 1;

    internal static SequencingConfig Config { get; } = new()
    {
        Roster = [Declare("a", Delay.Ticks(1)), Declare(Victim, Delay.OneRound), Declare("c", Delay.Ticks(2))],
    };

    internal long Grants { get; private set; }

    /// <summary>Messages it has published, all of them numbered from 1.</summary>
    internal long Said { get; private set; }

    /// <summary>Over everything it was given, in its order.</summary>
    internal ulong Hash => _hash;

    /// <summary>Messages of each member it was given, by ordinal.</summary>
    internal IReadOnlyList<long> Heard => _heard;

    /// <exception cref="InvalidDataException">A message is missing, or comes again.</exception>
    internal void Take(Grant grant)
    {
        Grants++;
        Fold(grant.Tag.Time, grant.Tag.Round);

        foreach (SequencedMessage message in grant.Messages)
        {
            int sender = message.Channel[0] - 'a';
            long number = BinaryPrimitives.ReadInt64BigEndian(message.Payload.Span);

            if (number != ++_heard[sender] || message.Payload.Length != MessageBytes)
            {
                throw new InvalidDataException(
                    $"At {grant.Tag} came number {number} on '{message.Channel}', after {_heard[sender] - 1}.");
            }

            Fold(message.Arrival.Time, BinaryPrimitives.ReadInt64BigEndian(message.Payload.Span[sizeof(long)..]));
        }
    }

    /// <summary>Says what follows from the state; the request is the last thing.</summary>
    internal void Say(SequenceClient client)
    {
        Span<byte> payload = stackalloc byte[MessageBytes];

        for (ulong left = _hash % 4; left > 0; left--)
        {
            BinaryPrimitives.WriteInt64BigEndian(payload, ++Said);
            BinaryPrimitives.WriteUInt64BigEndian(payload[sizeof(long)..], _hash);
            client.Publish(client.Name, payload);
        }

        if (_hash % 5 == 0)
        {
            client.Promise(client.Now + Delay.Ticks(3));
        }
    }

    internal void Ask(SequenceClient client)
    {
        Tag target = Tag.Earlier(End, client.Now.Time + 1 + (long)(_hash % 3));

        if (_hash % 2 == 0)
        {
            client.RequestNext(target);
        }
        else
        {
            client.RequestTo(target);
        }
    }

    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, Grants);
        BinaryPrimitives.WriteInt64BigEndian(destination[sizeof(long)..], Said);
        BinaryPrimitives.WriteUInt64BigEndian(destination[(2 * sizeof(long))..], _hash);

        for (int i = 0; i < Members; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(destination[((3 + i) * sizeof(long))..], _heard[i]);
        }
    }

    internal static CountingMember Read(ReadOnlySpan<byte> source)
    {
        CountingMember member = new()
        {
            Grants = BinaryPrimitives.ReadInt64BigEndian(source),
            Said = BinaryPrimitives.ReadInt64BigEndian(source[sizeof(long)..]),
            _hash = BinaryPrimitives.ReadUInt64BigEndian(source[(2 * sizeof(long))..]),
        };

        for (int i = 0; i < Members; i++)
        {
            member._heard[i] = BinaryPrimitives.ReadInt64BigEndian(source[((3 + i) * sizeof(long))..]);
        }

        return member;
    }

    private static MemberDeclaration Declare(string name, Delay lookahead) => new(name)
    {
        Publish = [name],
        Subscribe = [.. new[] { "a", "b", "c" }.Where(other => other != name)],
        Lookahead = lookahead,
    };

    private void Fold(long one, long other)
    {
        Span<byte> bytes = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, one);
        BinaryPrimitives.WriteInt64BigEndian(bytes[sizeof(long)..], other);
        _hash = XxHash64.Hash(_hash, bytes);
    }
}

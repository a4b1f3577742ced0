using System.Buffers.Binary;
using System.Globalization;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Bench.Grants;

/// <summary>What the members of a measured run do.</summary>
internal enum GrantWork
{
    /// <summary>Each advances by a tick as soon as all have come so far; nothing is published.</summary>
    Ticks,

    /// <summary>Each event that arrives schedules one more, at a random member.</summary>
    Phold,
}

/// <summary>A member's way to say something, whatever carries it.</summary>
internal interface IMemberSpeaker
{
    void Publish(string channel, ReadOnlySpan<byte> payload, Tag at);

    void RequestTo(Tag target);
}

/// <summary>What one member does with a grant: it publishes, and asks for the next one.</summary>
internal interface IMemberWork
{
    void Act(IMemberSpeaker speaker, in GrantView grant);
}

/// <summary>The works, and the runs they need.</summary>
internal static class MemberWorks
{
    private const string TickChannel = "ticks";

    internal static string NameOf(int member) => "m" + member.ToString("0000", CultureInfo.InvariantCulture);

    internal static string ChannelOf(int member) => "to/" + NameOf(member);

    internal static SequencingConfig Config(GrantWork work, int members) => new()
    {
        Roster = [.. Enumerable.Range(0, members).Select(member => Declare(work, member, members))],
    };

    internal static IMemberWork Of(GrantWork work, int member, int members)
        => work == GrantWork.Phold ? new PholdWork(member, members) : new TickWork();

    private static MemberDeclaration Declare(GrantWork work, int member, int members) => work == GrantWork.Phold
        ? new MemberDeclaration(NameOf(member))
        {
            Lookahead = PholdWork.Lookahead,
            Publish = [.. Enumerable.Range(0, members).Select(ChannelOf)],
            Subscribe = [ChannelOf(member)],
        }
        : new MemberDeclaration(NameOf(member))
        {
            Lookahead = Delay.Ticks(1),
            Publish = [TickChannel],
            Subscribe = [TickChannel],
        };

    private sealed class TickWork : IMemberWork
    {
        public void Act(IMemberSpeaker speaker, in GrantView grant) => speaker.RequestTo(grant.Tag.Time + 1);
    }

    /// <summary>
    /// PHOLD (Fujimoto 1990): every event has one successor, at now + look-ahead + a keyed draw, at a member drawn too.
    /// </summary>
    private sealed class PholdWork(int member, int members) : IMemberWork
    {
        internal static readonly Delay Lookahead = Delay.Ticks(100);

        // Uniform beyond the look-ahead, so that an event is some five steps on its way.
        private const uint LongestDraw = 900;

        // Under way for each member.
        private const int Population = 256;

        private const ulong Seed = 1990;
        private const int EventBytes = 16;

        private readonly string[] _channels = [.. Enumerable.Range(0, members).Select(ChannelOf)];
        private readonly byte[] _event = new byte[EventBytes];

        public void Act(IMemberSpeaker speaker, in GrantView grant)
        {
            if (grant.Tag == Tag.Zero)
            {
                for (int i = 0; i < Population; i++)
                {
                    Schedule(speaker, grant.Tag, (ulong)((member * Population) + i), 0);
                }
            }

            foreach (ref readonly SequencedMessage message in grant.Messages)
            {
                ReadOnlySpan<byte> received = message.Payload.Span;
                ulong chain = BinaryPrimitives.ReadUInt64LittleEndian(received);
                Schedule(speaker, grant.Tag, chain, BinaryPrimitives.ReadUInt64LittleEndian(received[8..]) + 1);
            }

            speaker.RequestTo(grant.Tag + Lookahead);
        }

        private void Schedule(IMemberSpeaker speaker, Tag now, ulong chain, ulong hop)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_event, chain);
            BinaryPrimitives.WriteUInt64LittleEndian(_event.AsSpan(8), hop);
            ulong draw = XxHash64.Hash(Seed, _event);
            int receiver = (int)(((draw >> 32) * (ulong)members) >> 32);
            Delay delay = Delay.Ticks(Lookahead.Time + (long)(((draw & uint.MaxValue) * LongestDraw) >> 32));
            speaker.Publish(_channels[receiver], _event, now + delay);
        }
    }
}

// What a channel does to the messages on their way, compiled from its declaration. Nothing here changes once made, and
// planning a publication remembers nothing: the same message has the same fate whenever and for whomever it is asked.

using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Channels;

/// <summary>Chances in parts per million: once for all receivers, and once for each of them.</summary>
internal readonly record struct ChannelChances(
    int SenderLoss, int ReceiverLoss, int SenderDuplicate, int ReceiverDuplicate)
{
    internal bool IsNone => this == default;
}

internal sealed class ChannelModel(ulong key, LatencyModel latency, ChannelChances chances, bool scatters)
{
    /// <summary>Hash of the channel's name.</summary>
    internal ulong Key { get; } = key;

    internal LatencyModel Latency { get; } = latency;

    internal ChannelChances Chances { get; } = chances;

    /// <summary>Whether each receiver has latencies of its own; subscribers then have no common order.</summary>
    internal bool Scatters { get; } = scatters;

    /// <summary>Whether there is nothing to draw: every message arrives once, at its nominal arrival.</summary>
    internal bool IsPlain { get; } = !latency.IsDrawn && chances.IsNone;

    /// <summary>How often a message may come to one receiver.</summary>
    internal int Copies { get; } = chances.SenderDuplicate > 0 || chances.ReceiverDuplicate > 0 ? 2 : 1;

    /// <summary>The fate of one publication.</summary>
    /// <param name="seed">Of the run.</param>
    /// <param name="publisher">Hash of the publisher's name.</param>
    /// <param name="subSequence">The publisher's count of the message.</param>
    /// <param name="tag">The tag the publisher named, before the channel's latency.</param>
    internal PublicationPlan Plan(ulong seed, ulong publisher, long subSequence, Tag tag)
        => PlanNominal(seed, publisher, subSequence, tag + Latency.Minimum);

    /// <summary>The same from what a log keeps: a late joiner's own fate of a message of before its time.</summary>
    /// <param name="seed">Of the run.</param>
    /// <param name="publisher">Hash of the publisher's name.</param>
    /// <param name="subSequence">The publisher's count of the message.</param>
    /// <param name="nominal">The publisher's tag and the least latency.</param>
    internal PublicationPlan PlanNominal(ulong seed, ulong publisher, long subSequence, Tag nominal)
        => new(this, seed, new MessageIdentity(publisher, subSequence, Key), nominal);

    /// <summary>What members can see of it, in the canonical encoding of a configuration; clause .</summary>
    internal void Write(FrameWriter writer)
    {
        Latency.Write(writer);
        writer.WriteNumber((ulong)Chances.SenderLoss);
        writer.WriteNumber((ulong)Chances.ReceiverLoss);
        writer.WriteNumber((ulong)Chances.SenderDuplicate);
        writer.WriteNumber((ulong)Chances.ReceiverDuplicate);
        writer.WriteByte(Scatters ? (byte)1 : (byte)0);
    }
}

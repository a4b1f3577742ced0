using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Channels;

/// <summary>What one receiver gets of one publication. Each of the two copies may be missing; both are then.</summary>
/// <param name="Arrives">Whether the message itself arrives.</param>
/// <param name="Arrival">When; copy 0 in the key.</param>
/// <param name="IsDoubled">Whether the duplicate arrives.</param>
/// <param name="DoubleArrival">When; copy 1 in the key. It may be the earlier one.</param>
internal readonly record struct ReceiverPlan(bool Arrives, Tag Arrival, bool IsDoubled, Tag DoubleArrival);

/// <summary>The fate of one publication: what is the same for all receivers, and the question for one of them.</summary>
internal readonly struct PublicationPlan
{
    private const byte Double = 1;

    private readonly ChannelModel _channel;
    private readonly MessageIdentity _message;
    private readonly ulong _seed;
    private readonly bool _isDoubled;
    private readonly Tag _arrival;
    private readonly Tag _doubleArrival;

    internal PublicationPlan(ChannelModel channel, ulong seed, MessageIdentity message, Tag nominal)
    {
        _channel = channel;
        _seed = seed;
        _message = message;
        Nominal = nominal;
        _arrival = nominal;
        _doubleArrival = nominal;

        if (channel.IsPlain)
        {
            return;
        }

        ChannelChances chances = channel.Chances;
        const ulong All = ChannelDraws.AllReceivers;
        IsLost = Happens(DrawPurpose.SenderLoss, chances.SenderLoss, All, 0);
        _isDoubled = Happens(DrawPurpose.Duplicate, chances.SenderDuplicate, All, 0);

        if (!channel.Scatters)
        {
            _arrival = ArrivalOf(All, 0);
            _doubleArrival = ArrivalOf(All, Double);
        }
    }

    /// <summary>Whether it was lost at its sender: nobody gets it, and the log does not either.</summary>
    internal bool IsLost { get; }

    /// <summary>The publisher's tag and the channel's least latency: its place in the log, and for observers.</summary>
    internal Tag Nominal { get; }

    /// <param name="receiver">Hash of the receiver's name. Nothing is drawn for observers: they are not asked about.</param>
    internal ReceiverPlan For(ulong receiver)
    {
        if (_channel.IsPlain || IsLost)
        {
            return new ReceiverPlan(!IsLost, Nominal, false, default);
        }

        ChannelChances chances = _channel.Chances;
        bool scatters = _channel.Scatters;
        bool isDoubled = _isDoubled
            || Happens(DrawPurpose.Duplicate, chances.ReceiverDuplicate, receiver, 0);

        return new ReceiverPlan(
            !Happens(DrawPurpose.ReceiverLoss, chances.ReceiverLoss, receiver, 0),
            scatters ? ArrivalOf(receiver, 0) : _arrival,
            isDoubled && !Happens(DrawPurpose.ReceiverLoss, chances.ReceiverLoss, receiver, Double),
            scatters ? ArrivalOf(receiver, Double) : _doubleArrival);
    }

    private bool Happens(DrawPurpose purpose, int chance, ulong receiver, byte copy) => chance > 0
        && ChannelDraws.Happens(ChannelDraws.Draw(_seed, in _message, receiver, copy, purpose), chance);

    private Tag ArrivalOf(ulong receiver, byte copy)
    {
        LatencyModel latency = _channel.Latency;

        return latency.IsDrawn
            ? Nominal + Delay.Ticks(latency.ExtraOf(
                ChannelDraws.Draw(_seed, in _message, receiver, copy, DrawPurpose.Latency)))
            : Nominal;
    }
}

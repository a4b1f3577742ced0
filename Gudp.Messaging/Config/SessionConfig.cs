using System;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Config;

/// <summary>What all sessions of an endpoint read of its config: one for all of them. Never changed.</summary>
internal sealed class SessionConfig
{
    internal readonly int Lanes;
    internal readonly LanePlan LanePlan;
    internal readonly LaneRanks Ranks;
    internal readonly int LaneRingBytes;
    internal readonly long ConnectionCreditBytes;
    internal readonly int MaxMessageBytes;
    internal readonly int MaxUnreliableBytes;
    internal readonly int DatagramQueueBytes;
    internal readonly long PeerMemoryBytes;
    internal readonly long ToReceiveBytes;
    internal readonly long ToBeginBytes;
    internal readonly long FirstRingsBytes;
    internal readonly SlowPolicy WhenSlow;
    internal readonly TimeSpan SlowConsumerLimit;

    /// <summary>What sessions have that have not used a lane; never written.</summary>
    internal readonly SendLane?[] NoSendLanes;
    internal readonly ReceiveLane?[] NoReceiveLanes;
    internal readonly MessageTally?[] NoTallies;

    internal SessionConfig(MessagingConfig config)
    {
        Lanes = config.Lanes;
        LanePlan = config.LanePlan;
        Ranks = new LaneRanks(config.LanePlan, config.Lanes);
        LaneRingBytes = config.LaneRingBytes;
        ConnectionCreditBytes = config.ConnectionCreditBytes;
        MaxMessageBytes = config.MaxMessageBytes;
        MaxUnreliableBytes = config.MaxUnreliableBytes;
        DatagramQueueBytes = config.DatagramQueueBytes;
        PeerMemoryBytes = config.PeerMemoryBytes;
        ToReceiveBytes = config.ToReceiveBytes;
        ToBeginBytes = config.ToBeginBytes;
        FirstRingsBytes = config.FirstRingsBytes;
        WhenSlow = config.WhenSlow;
        SlowConsumerLimit = config.SlowConsumerLimit;
        NoSendLanes = new SendLane?[Lanes];
        NoReceiveLanes = new ReceiveLane?[Lanes];
        NoTallies = new MessageTally?[Lanes];
    }
}

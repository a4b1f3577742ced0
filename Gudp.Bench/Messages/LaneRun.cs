using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>What a message costs when many lanes are used in turn, or are there and idle.</summary>
/// <remarks>
/// One thread drives both ends through real sockets, without pacing, so that it always has something to do and the
/// processor time is that of the work.
/// </remarks>
internal sealed class LaneRun : IMessageHandler
{
    internal const int MostLanes = 64;

    private const int Budget = 4_096;

    // So many are offered between two turns, and so many turns without an arrival are the end of patience.
    private const int MostOffered = 512;
    private const int StillTurns = 1_000_000;

    private readonly LoopbackPair _pair;
    private readonly LaneMode _mode;
    private readonly byte[] _message;
    private readonly int _offered;
    private long _sent;
    private long _arrived;

    private LaneRun(LoopbackPair pair, LaneMode mode, int bytes)
    {
        _pair = pair;
        _mode = mode;
        _message = new byte[bytes];

        // More of them at a time would give way to the last one, the more the fewer lanes there are.
        _offered = mode == LaneMode.SequencedReliable ? 1 : MostOffered;
    }

    /// <param name="mode">Of all lanes.</param>
    /// <param name="bytes">Of each message.</param>
    /// <param name="lanes">How many are open, and how many of these are used in turn.</param>
    /// <param name="messages">Measured; a half as many before them are not.</param>
    /// <returns>Microseconds of processor time per message that was sent.</returns>
    internal static double Run(LaneMode mode, int bytes, (int Open, int Used) lanes, int messages)
    {
        using LoopbackPair pair = LoopbackPair.ByHand(Config(mode));
        LaneRun run = new(pair, mode, bytes);
        run.Send(messages / 4, lanes.Open);
        run.Send(messages / 4, lanes.Used);

        TimeSpan before = Environment.CpuUsage.TotalTime;
        run.Send(messages, lanes.Used);
        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / messages;
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => _arrived++;

    private static MessagingConfig Config(LaneMode mode)
    {
        MessagingConfig config = StreamCells.Config(mode, MostLanes);
        ConnectionConfig connections = config.Core.Connections;
        CongestionConfig unpaced = connections.Congestion with { Pacing = false };
        return config with { Core = config.Core with { Connections = connections with { Congestion = unpaced } } };
    }

    private void Send(int messages, int lanes)
    {
        LaneRun self = this;
        long end = _sent + messages;

        for (int still = 0; _sent < end; still++)
        {
            long before = _arrived;
            Offer(Math.Min(end, _sent + _offered), lanes);
            _pair.Turn();
            _pair.Receiver.Poll(ref self, Budget);
            still = _arrived == before ? still : 0;

            if (still == StillTurns)
            {
                throw new InvalidOperationException($"{_mode}: nothing arrives any more after {_arrived}.");
            }
        }
    }

    private void Offer(long end, int lanes)
    {
        while (_sent < end)
        {
            SendOptions options = new() { Lane = StreamCells.LaneOf(_sent, lanes) };

            if (_pair.Sender.TrySend(_message, options) != SendStatus.Accepted)
            {
                return;
            }

            _sent++;
        }
    }
}

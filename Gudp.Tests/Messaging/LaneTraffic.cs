using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// Sends drawn messages from the client to the server of a pair, in every way there is, reads them in every way there
/// is, and knows what must have come out.
/// </summary>
internal sealed class LaneTraffic : IMessageHandler
{
    private static readonly int[] Lanes = [0, 1, 3, 5];

    private readonly SessionPair _pair;
    private readonly Prng _draws;
    private readonly int _mostBytes;
    private readonly Dictionary<int, List<byte[]>> _sent = [];
    private readonly Dictionary<int, List<byte[]>> _received = [];
    private readonly List<ReceivedMessage> _held = [];
    private int _left;
    private int _receivedCount;
    private int _sentCount;

    internal LaneTraffic(SessionPair pair, Prng draws, int messages, int mostBytes)
    {
        _pair = pair;
        _draws = draws;
        _left = messages;
        _mostBytes = mostBytes;

        foreach (int lane in Lanes)
        {
            _sent[lane] = [];
            _received[lane] = [];
        }
    }

    internal int Received => _receivedCount;

    /// <summary>Sends and reads a little; true once all was sent and read.</summary>
    internal bool Advance()
    {
        for (int i = 0; i < 8 && _left > 0; i++)
        {
            SendOne();
        }

        if (_draws.NextChance(700_000))
        {
            Read();
        }

        return _left == 0 && _receivedCount == _sentCount;
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        _received[lane].Add(message.ToArray());
        _receivedCount++;
    }

    internal void AssertDeliveredExactly(bool finished)
    {
        foreach (int lane in Lanes)
        {
            List<byte[]> sent = _sent[lane];
            List<byte[]> received = _received[lane];
            Assert.That(received, Has.Count.LessThanOrEqualTo(sent.Count), $"Lane {lane} delivered too much.");

            for (int i = 0; i < received.Count; i++)
            {
                Assert.That(
                    received[i].AsSpan().SequenceEqual(sent[i]), Is.True, $"Message {i} of lane {lane} differs.");
            }
        }

        Assert.That(finished, Is.True, $"{_sentCount - _receivedCount} messages did not arrive.");

        foreach (ReceivedMessage message in _held)
        {
            message.Dispose();
        }
    }

    private void SendOne()
    {
        int lane = Lanes[_draws.NextBelow(Lanes.Length)];
        int bytes = _draws.NextChance(500_000)
            ? (int)_draws.NextBelow(40)
            : (int)_draws.NextBelow(_mostBytes + 1);
        byte[] message = LaneTests.Pattern(bytes, _draws.NextUInt64());
        SendOptions options = new() { Lane = lane, NotifyTaken = _draws.NextChance(200_000) };
        SendStatus status = _draws.NextChance(300_000)
            ? Claim(message, options)
            : _draws.NextChance(300_000)
                ? SendInBatch(message, options)
                : _pair.Client.Peer.TrySend(message, options);

        if (status == SendStatus.Accepted)
        {
            _sent[lane].Add(message);
            _sentCount++;
            _left--;
        }
        else
        {
            Assert.That(status, Is.EqualTo(SendStatus.LaneFull).Or.EqualTo(SendStatus.NoCredit)
                .Or.EqualTo(SendStatus.PeerFull));
            FetchUpdates();
        }
    }

    private SendStatus SendInBatch(byte[] message, SendOptions options)
    {
        using SendBatch batch = _pair.Client.Peer.BeginBatch(options);
        return batch.TrySend(message);
    }

    private SendStatus Claim(byte[] message, SendOptions options)
    {
        // An earlier claim, given up with the next message behind it, must leave no trace.
        SendStatus earlier = _pair.Client.Peer.TryClaim(17, options, out MessageClaim abandoned);
        SendStatus status = _pair.Client.Peer.TryClaim(message.Length, options, out MessageClaim claim);

        if (status == SendStatus.Accepted)
        {
            message.CopyTo(claim.Span);
            status = claim.Commit();
        }

        if (earlier == SendStatus.Accepted)
        {
            abandoned.Abandon();
        }

        return status;
    }

    private void Read()
    {
        if (_draws.NextChance(500_000))
        {
            LaneTraffic self = this;
            _pair.Server.Peer.Poll(ref self, budget: (int)_draws.NextBetween(1, 20));
            return;
        }

        for (long i = _draws.NextBelow(10); i > 0 && _pair.Server.Peer.TryReceive(out ReceivedMessage message); i--)
        {
            HandleMessage(_pair.Server.Peer, message.Lane, message.Span);
            _held.Add(message);
        }

        while (_held.Count > 5)
        {
            int index = (int)_draws.NextBelow(_held.Count);
            _held[index].Dispose();
            _held.RemoveAt(index);
        }
    }

    private void FetchUpdates()
    {
        Span<ReceiptUpdate> updates = new ReceiptUpdate[64];

        while (_pair.Client.Peer.TakeUpdates(updates) == updates.Length)
        {
            // Only to make room.
        }
    }
}

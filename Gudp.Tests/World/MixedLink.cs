using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>One connection of a mixed world, with its traffic in both directions.</summary>
internal sealed class MixedLink
{
    private const int LastMessages = 10;

    private readonly MixedPlan _backPlan;
    private readonly Prng _draws;
    private readonly Peer _client;
    private readonly MixedTraffic _there;
    private MixedTraffic? _back;
    private int? _killed;
    private bool _isHealed;

    internal MixedLink(int from, int to, Peer client, MixedPlan there, MixedPlan back, Prng draws)
    {
        From = from;
        To = to;
        _client = client;
        _draws = draws;
        _backPlan = back;
        _there = new MixedTraffic($"{from} to {to}", client, draws.Split(1), there);
    }

    /// <summary>The node that connected.</summary>
    internal int From { get; }

    /// <summary>The node that listened.</summary>
    internal int To { get; }

    internal bool IsAccepted => _back is not null;

    internal bool IsFinished => _there.IsFinished && _back is { IsFinished: true };

    internal string Standing
        => $"{_there.Standing}\n{_back?.Standing ?? "not accepted"}\n{_client.Connection.Status}, "
            + $"{_client.Connection.CloseReason}, {_client.Connection.ReadCounters()}\n"
            + $"{_back?.Sender.Connection.Status}, {_back?.Sender.Connection.ReadCounters()}";

    internal void Accepted(Peer peer)
    {
        Assert.That(_back, Is.Null, $"{From} to {To}: one connection was opened, two were accepted.");
        _there.Receiver = peer;
        _back = new MixedTraffic($"{To} to {From}", peer, _draws.Split(2), _backPlan)
        {
            Receiver = _client,
            IsHealed = _isHealed,
        };
    }

    internal void Send()
    {
        _there.Send();
        _back?.Send();
    }

    internal void Read()
    {
        _there.Read();
        _back?.Read();
    }

    internal void Pause(bool from, bool to)
    {
        _there.IsReaderPaused = to;

        if (_back is not null)
        {
            _back.IsReaderPaused = from;
        }
    }

    internal void Heal()
    {
        _there.IsHealed = true;
        _isHealed = true;

        if (_back is not null)
        {
            _back.IsHealed = true;
        }
    }

    internal void AssertAlive()
    {
        Oracles.AssertAlive(_client.Connection, $"{From} to {To}, client");

        if (_back is not null)
        {
            Oracles.AssertAlive(_back.Sender.Connection, $"{From} to {To}, server");
        }
    }

    internal void SendLast()
    {
        _there.SendLast(LastMessages);
        _back!.SendLast(LastMessages);
    }

    internal void Close(bool byClient)
    {
        _there.HasConnectionEnded = true;
        _back!.HasConnectionEnded = true;
        (byClient ? _client : _back.Sender).Close();
    }

    /// <summary>One end is gone; the other does not know yet.</summary>
    internal void NoteKilled(int node) => _killed = node;

    /// <summary>Long after the end: all was read or lost, and what the ends that are left know is true.</summary>
    internal void AssertEnded(MixedAccount total)
    {
        _there.HasConnectionEnded = true;
        _back!.HasConnectionEnded = true;

        // What had arrived stays readable; a killed application reads nothing more.
        if (_killed != To)
        {
            _there.ReadAll();
        }

        if (_killed != From)
        {
            _back.ReadAll();
        }

        if (_killed != From)
        {
            _there.AssertEnded(total, receiverLives: _killed is null);
        }

        if (_killed != To)
        {
            _back.AssertEnded(total, receiverLives: _killed is null);
        }

        _there.Forget();
        _back.Forget();
        _client.Dispose();
        _back.Sender.Dispose();
    }
}

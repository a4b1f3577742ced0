using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// A server and its members in one thread, connected by queues whose every message moves only when told: any
/// interleaving of a real network can be played.
/// </summary>
internal sealed class SingleProcessRun
{
    private readonly Dictionary<long, Queue<byte[]>> _down = [];
    private Instant _now;

    internal SingleProcessRun(SequencingConfig config)
        : this(new RunLayout(config), config)
    {
    }

    internal SingleProcessRun(RunLayout layout, SequencingConfig config)
    {
        Server = new ServerEngine(layout, new SeededSecrets(new Prng(1)));

        for (int link = 0; link < config.Roster.Count; link++)
        {
            MemberEngine member = new(MemberOptions.From(config, config.Roster[link].Name, layout.ConfigHash));
            Members.Add(member);
            _down[link] = new Queue<byte[]>();
        }
    }

    internal ServerEngine Server { get; }

    /// <summary>In the order of the configuration; the index is the link.</summary>
    internal List<MemberEngine> Members { get; } = [];

    internal Dictionary<long, Queue<byte[]>> Down => _down;

    internal Instant Now => _now;

    internal MemberEngine this[string name] => Members.Find(member => member.Name == name)!;

    /// <summary>One message of that member reaches the server.</summary>
    internal bool MoveUp(int link)
    {
        bool moved = Hand(link);

        if (moved)
        {
            Evaluate();
        }

        return moved;
    }

    /// <summary>One message of that member reaches the server, which does not look yet what it can grant.</summary>
    internal bool Hand(int link)
    {
        if (!Members[link].TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            return false;
        }

        _now += TimeSpan.FromMilliseconds(1);
        Server.HandleMessage(link, message.ToArray(), _now);
        Members[link].OnSent();
        return true;
    }

    internal void Evaluate()
    {
        Server.Evaluate(_now);
        Collect();
    }

    /// <summary>One message of the server reaches that member.</summary>
    internal bool MoveDown(int link)
    {
        if (!_down[link].TryDequeue(out byte[]? message))
        {
            return false;
        }

        Members[link].HandleMessage(message);
        return true;
    }

    internal bool WithdrawReceiver(string name)
    {
        bool isDone = Server.WithdrawReceiver(name);
        Server.Evaluate(_now);
        Collect();
        return isDone;
    }

    internal void Lose(int link)
    {
        Server.HandleLinkLost(link, _now);
        Server.Evaluate(_now);
        Collect();
    }

    /// <summary>Until nothing moves any more.</summary>
    internal void Settle()
    {
        bool moved = true;

        while (moved)
        {
            moved = false;

            for (int link = 0; link < Members.Count; link++)
            {
                moved |= MoveUp(link) | MoveDown(link);
            }
        }
    }

    /// <summary>Lets time pass, with all that is due on the way; everything that can move then has moved.</summary>
    internal void Pass(TimeSpan span)
    {
        Instant end = _now + span;

        for (int turns = 0; Server.NextDeadline <= end; turns++)
        {
            Assert.That(turns, Is.LessThan(10_000), "Deadlines move on.");
            _now = Instant.Later(_now, Server.NextDeadline);
            Server.HandleTimeout(_now);
            Server.Evaluate(_now);
            Collect();
        }

        _now = end;
        Settle();
    }

    internal void Inject(long link, byte[] message)
    {
        Server.HandleMessage(link, message, _now);
        Server.Evaluate(_now);
        Collect();
    }

    private void Collect()
    {
        while (Server.TryTakeOutgoing(out Outgoing outgoing))
        {
            if (!_down.TryGetValue(outgoing.Link, out Queue<byte[]>? queue))
            {
                queue = _down[outgoing.Link] = new Queue<byte[]>();
            }

            queue.Enqueue(outgoing.Message.ToArray());
            outgoing.Release();
        }
    }
}

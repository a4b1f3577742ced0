using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Wire;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>One connection: what is under way on it, either way.</summary>
internal sealed class RuleLink(long id)
{
    internal long Id { get; } = id;

    internal Queue<byte[]> Up { get; } = [];

    internal Queue<byte[]> Down { get; } = [];

    /// <summary>The server has given it up.</summary>
    internal bool IsClosed { get; set; }
}

/// <summary>
/// The server of a drawn run and its connections. Each message is under way until it is moved; a connection that breaks
/// takes what is under way down to the grave, and what is under way up may still come, after its member has come back.
/// </summary>
internal sealed class RuleLinks
{
    private const long OperatorLink = 1_000_000;

    private readonly Dictionary<long, RuleLink> _links = [];
    private long _last;
    private Instant _now = new(1);

    internal RuleLinks(SequencingConfig config)
    {
        Layout = new RunLayout(config);
        Server = new ServerEngine(Layout, new SeededSecrets(new Prng(1)));
        Server.AllowOperator(OperatorLink);
    }

    internal RunLayout Layout { get; }

    internal ServerEngine Server { get; }

    /// <summary>Evaluations so far.</summary>
    internal long Turns { get; private set; }

    internal RuleLink Open()
    {
        RuleLink link = new(++_last);
        _links.Add(link.Id, link);
        return link;
    }

    /// <summary>What a member says next is under way.</summary>
    internal static bool Send(MemberEngine member, RuleLink link)
    {
        if (!member.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            return false;
        }

        link.Up.Enqueue(message.ToArray());
        member.OnSent();
        return true;
    }

    /// <summary>The oldest message under way up reaches the server, which does not look yet what it can grant.</summary>
    internal void Hand(RuleLink link)
    {
        _now += TimeSpan.FromMilliseconds(1);
        byte[] message = link.Up.Dequeue();
        Server.HandleMessage(link.Id, message, _now);

        // A step that was applied is dropped silently.
        if (message[0] == (byte)FrameType.Commit && Turns % 7 == 0)
        {
            Server.HandleMessage(link.Id, message, _now);
        }
    }

    internal void Evaluate()
    {
        Turns++;
        Server.Evaluate(_now);

        while (Server.TryTakeOutgoing(out Outgoing outgoing))
        {
            if (_links.TryGetValue(outgoing.Link, out RuleLink? link))
            {
                link.IsClosed |= outgoing.Closes;

                if (!outgoing.Closes)
                {
                    link.Down.Enqueue(outgoing.Message.ToArray());
                }
            }

            outgoing.Release();
        }
    }

    /// <summary>The server learns that a connection is gone.</summary>
    internal void Lose(RuleLink link)
    {
        _links.Remove(link.Id);
        Server.HandleLinkLost(link.Id, _now);
    }

    /// <summary>The member learns that a connection is gone; the server may not have.</summary>
    internal void Forget(RuleLink link) => _links.Remove(link.Id);

    /// <summary>An operator ends the run, at a tag or as soon as possible.</summary>
    internal void Stop(Tag? at)
    {
        OperatorEngine operating = new("operator");
        operating.Stop(at);
        operating.TryPeekOutgoing(out ReadOnlySpan<byte> message);
        Server.HandleMessage(OperatorLink, message, _now);
    }

    internal WaitReport? WhoBlocks(string name) => Server.WhoBlocks(name, _now);
}

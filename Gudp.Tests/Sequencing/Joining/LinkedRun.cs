using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>
/// A server and members in one thread whose links break and are made anew when told, noticed by the server or not, and
/// whose processes die and come back from what they saved.
/// </summary>
internal sealed class LinkedRun
{
    private readonly Dictionary<long, Queue<byte[]>> _down = [];
    private long _lastLink;

    internal LinkedRun(SequencingConfig config, params string[] absent)
    {
        Config = config;
        Layout = new RunLayout(config);
        Server = new ServerEngine(Layout, new SeededSecrets(new Prng(1)));

        foreach (MemberDeclaration declaration in config.Roster.Where(member => !absent.Contains(member.Name)))
        {
            Join(MemberOptions.From(config, declaration.Name, Layout.ConfigHash));
        }
    }

    internal SequencingConfig Config { get; }

    internal RunLayout Layout { get; }

    internal ServerEngine Server { get; }

    internal List<LinkedMember> Members { get; } = [];

    /// <summary>Links that the server gave up.</summary>
    internal List<long> Closed { get; } = [];

    internal Instant Now { get; private set; } = new(1);

    internal LinkedMember this[string name] => Members.FindLast(member => member.Engine.Name == name)!;

    internal LinkedMember Join(MemberOptions options) => Add(new MemberEngine(options));

    internal LinkedMember Add(MemberEngine engine)
    {
        LinkedMember member = new(engine, ++_lastLink);
        Members.Add(member);
        _down[member.Link] = new Queue<byte[]>();
        return member;
    }

    /// <summary>The link breaks, with all that is under way on it; the member comes back on another one.</summary>
    internal void Cut(LinkedMember member, bool isNoticed = true)
    {
        Drop(member, isNoticed);
        member.Engine.TryResume();
    }

    /// <summary>The link breaks, and the member has none; the server may not have noticed.</summary>
    internal void Drop(LinkedMember member, bool isNoticed = true)
    {
        if (isNoticed)
        {
            Server.HandleLinkLost(member.Link, Now);
            Turn();
        }

        _down[member.Link].Clear();
        member.Link = ++_lastLink;
        _down[member.Link] = new Queue<byte[]>();
    }

    /// <summary>The process dies; another one goes on from a ticket.</summary>
    internal void Restart(LinkedMember member, ResumeTicket ticket, bool isNoticed = true)
    {
        Drop(member, isNoticed);
        bool isRead = ResumeTicket.TryParse(ticket.ToArray(), out ResumeTicket? read);
        NUnit.Framework.Assert.That(isRead, NUnit.Framework.Is.True);
        member.Engine = new MemberEngine(read!);
    }

    internal bool MoveUp(LinkedMember member)
    {
        if (!member.Engine.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            return false;
        }

        byte[] copy = message.ToArray();
        member.Engine.OnSent();
        Inject(member.Link, copy);
        return true;
    }

    internal bool MoveDown(LinkedMember member)
    {
        if (!_down[member.Link].TryDequeue(out byte[]? message))
        {
            return false;
        }

        member.Engine.HandleMessage(message);
        return true;
    }

    internal void Settle()
    {
        bool moved = true;

        for (int turns = 0; moved; turns++)
        {
            NUnit.Framework.Assert.That(turns, NUnit.Framework.Is.LessThan(100_000));
            moved = false;

            foreach (LinkedMember member in Members)
            {
                moved |= MoveUp(member) | MoveDown(member);
            }
        }
    }

    internal void Inject(long link, byte[] message)
    {
        Now += TimeSpan.FromMilliseconds(1);
        Server.HandleMessage(link, message, Now);
        Turn();
    }

    /// <summary>Time goes by at the server, and nothing comes.</summary>
    internal void Pass(TimeSpan time)
    {
        Now += time;
        Server.HandleTimeout(Now);
        Turn();
    }

    internal IReadOnlyCollection<byte[]> SentTo(long link) => _down.GetValueOrDefault(link) ?? [];

    private void Turn()
    {
        Server.Evaluate(Now);

        while (Server.TryTakeOutgoing(out Outgoing outgoing))
        {
            if (outgoing.Closes)
            {
                Closed.Add(outgoing.Link);
            }
            else
            {
                if (!_down.TryGetValue(outgoing.Link, out Queue<byte[]>? queue))
                {
                    queue = _down[outgoing.Link] = new Queue<byte[]>();
                }

                queue.Enqueue(outgoing.Message.ToArray());
            }

            outgoing.Release();
        }
    }
}

/// <summary>A member's engine and the link it has now.</summary>
internal sealed class LinkedMember(MemberEngine engine, long link)
{
    internal MemberEngine Engine { get; set; } = engine;

    internal long Link { get; set; } = link;
}

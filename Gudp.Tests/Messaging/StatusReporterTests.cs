using System.Text;
using System.Text.Json;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class StatusReporterTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    [Test]
    public void Who_asks_is_told_what_the_peers_of_the_observed_daemon_do()
    {
        using SimWorld world = new(seed: 1);
        (Node observed, Peer asker) = AskerOf(world);
        Peer client = world.Nodes[1].Connect(observed, Limit, world);
        client.TrySend(new byte[1000]);
        world.Run(TimeSpan.FromSeconds(2));

        JsonElement answer = Ask(world, asker);

        JsonElement peer = answer.GetProperty("peers").EnumerateArray().Single();
        Assert.That(peer.GetProperty("remote").GetString(), Is.EqualTo(client.Connection.LocalAddress.ToString()));
        Assert.That(peer.GetProperty("bytesReceived").GetInt64(), Is.GreaterThan(1000));
        Assert.That(answer.GetProperty("peersLeftOut").GetInt32(), Is.Zero);
    }

    [Test]
    public void What_is_no_question_is_not_answered()
    {
        using SimWorld world = new(seed: 2);
        (_, Peer asker) = AskerOf(world);

        asker.TrySend("gudp status 2"u8);
        asker.TrySend(""u8);
        asker.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question), new SendOptions { Lane = 3 });
        world.Run(TimeSpan.FromSeconds(2));

        Assert.That(asker.TryReceive(out _), Is.False);
    }

    [Test]
    public void Many_questions_at_once_cost_one_answer_to_make()
    {
        using SimWorld world = new(seed: 3);
        (Node observed, Peer asker) = AskerOf(world);
        List<string> answers = [];

        for (int i = 0; i < 20; i++)
        {
            asker.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question));
        }

        world.Nodes[1].Connect(observed, Limit, world);
        world.RunUntil(() => Drain(asker, answers) >= 20, Limit);

        Assert.That(answers.Distinct().Count(), Is.EqualTo(1));
    }

    private static int Drain(Peer asker, List<string> answers)
    {
        while (asker.TryReceive(out ReceivedMessage message))
        {
            using (message)
            {
                answers.Add(Encoding.UTF8.GetString(message.Span));
            }
        }

        return answers.Count;
    }

    // An observed node, a node for its clients, the reporter's and the asker's.
    private static (Node Observed, Peer Asker) AskerOf(SimWorld world)
    {
        Node observed = world.AddNode();
        _ = world.AddNode();
        Node status = world.AddNode();
        Node outside = world.AddNode();
        StatusReporter reporter = new(
            status.Daemon, status.Host.Address.WithPort(7001), Plain, observed.Daemon);
        MessageEndpoint caller = new(outside.Daemon, outside.Host.Address.WithPort(0), Plain);
        Peer asker = caller.Connect(reporter.LocalAddress);
        world.RunUntil(() => asker.Status.IsOpen, Limit);
        return (observed, asker);
    }

    private static JsonElement Ask(SimWorld world, Peer asker)
    {
        asker.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question));
        List<string> answers = [];
        world.RunUntil(() => Drain(asker, answers) > 0, Limit);
        return JsonDocument.Parse(answers[0]).RootElement;
    }
}

internal static class NodeMessages
{
    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    internal static Peer Connect(this Node from, Node to, TimeSpan limit, SimWorld world)
    {
        MessageEndpoint listener = new(to.Daemon, to.Host.Address.WithPort(7000), Plain);
        listener.Listen();
        MessageEndpoint caller = new(from.Daemon, from.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, limit);
        return client;
    }
}

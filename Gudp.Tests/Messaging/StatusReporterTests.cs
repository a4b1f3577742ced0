using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.House;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed partial class StatusReporterTests
{
    // Of the lane that answers go out on, and of the one that questions come in on.
    private const int Rings = 2 * 1024 * 1024;

    private StatusReporter? _reporter;

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
    public void Many_questions_at_once_cost_one_answer_to_make_and_four_to_send()
    {
        using SimWorld world = new(seed: 3);
        (Node observed, Peer asker) = AskerOf(world);
        List<string> answers = [];

        for (int i = 0; i < 20; i++)
        {
            asker.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question));
        }

        world.Nodes[1].Connect(observed, Limit, world);
        world.Run(TimeSpan.FromSeconds(5));
        Drain(asker, answers);

        Assert.That(answers.Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers, Has.Count.EqualTo(4));
    }

    // What it does not read fills its credit; then four answers wait, whatever it asks.
    [Test]
    public void Who_asks_without_end_and_reads_nothing_holds_four_answers_of_memory()
    {
        using SimWorld world = new(seed: 4);
        (Node observed, Peer asker) = AskerOf(world);

        for (int i = 0; i < 300; i++)
        {
            world.Nodes[1].Connect(observed, Limit, world, port: 10_000 + i);
        }

        long most = 0;

        for (int i = 0; i < 500; i++)
        {
            asker.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question));
            world.Run(TimeSpan.FromMilliseconds(20));
            most = Math.Max(most, _reporter!.MemoryBytes);
        }

        List<string> answers = [];
        world.RunUntil(() => Drain(asker, answers) >= 4, Limit);
        JsonElement later = Ask(world, asker);

        Assert.That(answers[0], Has.Length.GreaterThan(100_000));
        Assert.That(most, Is.Positive.And.AtMost(Rings + (5 * StatusReporter.MostAnswerBytes)));
        Assert.That(later.GetProperty("peers").GetArrayLength(), Is.EqualTo(300));
    }

    [Test]
    public void The_page_names_every_field_of_an_answer()
    {
        using SimWorld world = new(seed: 5);
        (Node observed, Peer asker) = AskerOf(world);
        world.Nodes[1].Connect(observed, Limit, world);

        JsonElement answer = Ask(world, asker);

        string page = File.ReadAllText(Repository.PathOf("docs", "METRICS.md"));
        IEnumerable<string> fields = [.. answer.EnumerateObject().Select(field => field.Name),
            .. answer.GetProperty("peers")[0].EnumerateObject().Select(field => $"peers[].{field.Name}")];
        Assert.That(FieldRow().Matches(page).Select(row => row.Groups["name"].Value), Is.EqualTo(fields));
        Assert.That(answer.GetProperty("version").GetInt32(), Is.EqualTo(1));
    }

    [GeneratedRegex(@"^\| `(?<name>(peers\[\]\.)?[a-zA-Z]+)` \| [a-z]+ \|", RegexOptions.Multiline)]
    private static partial Regex FieldRow();

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
    private (Node Observed, Peer Asker) AskerOf(SimWorld world)
    {
        Node observed = world.AddNode();
        _ = world.AddNode();
        Node status = world.AddNode();
        Node outside = world.AddNode();
        _reporter = new StatusReporter(
            status.Daemon, status.Host.Address.WithPort(7001), Plain, observed.Daemon);
        MessageEndpoint caller = new(outside.Daemon, outside.Host.Address.WithPort(0), Plain);
        Peer asker = caller.Connect(_reporter.LocalAddress);
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

    internal static Peer Connect(this Node from, Node to, TimeSpan limit, SimWorld world, int port = 7000)
    {
        MessageEndpoint listener = new(to.Daemon, to.Host.Address.WithPort(port), Plain);
        listener.Listen();
        MessageEndpoint caller = new(from.Daemon, from.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, limit);
        return client;
    }
}

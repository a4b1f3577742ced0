using Gudp.Bench.Load;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class LoadCommandTests
{
    [Test]
    public void Every_option_is_taken_up()
    {
        LoadCommand command = new();
        string text = "--system gudp --work n-to-1 --size 256 --peers 3 --rate 1000.5 --impair loss=5%,delay=20ms --block "
            + "--no-offload --mode UnorderedReliable --receipts taken --pin --rounds 2 --warm 0.5 --seconds 1";

        bool isRead = command.TryRead(text.Split(' '), TextWriter.Null);

        Assert.That(isRead, Is.True);
        Assert.That(command.Cell, Is.EqualTo(new LoadCell(LoadSystems.Gudp, LoadWork.NTo1, 256, 3)
        {
            Rate = 1_000.5,
            Impairment = "loss=5%,delay=20ms",
            Waiting = LoadWaiting.Block,
            HasOffload = false,
            Gudp = new GudpChoices { Mode = LaneMode.UnorderedReliable, NotifyTaken = true },
        }));
    }

    [TestCase("--sise 3", "'--sise' is not an option of load.")]
    [TestCase("--size", "--size needs a value: 32 to 16777216.")]
    [TestCase("--size 31", "'31' is not allowed for --size: 32 to 16777216.")]
    [TestCase("--size 1e3", "'1e3' is not allowed for --size")]
    [TestCase("--rate -1", "'-1' is not allowed for --rate: 0 to 1000000000.")]
    [TestCase("--seconds NaN", "'NaN' is not allowed for --seconds")]
    [TestCase("--system tpc", "'tpc' is not allowed for --system: gudp|udp-raw|tcp|tcp-coalesced|enet|zeromq.")]
    [TestCase("--work all", "request-response|one-way|two-way|n-to-1|n-to-n")]
    [TestCase("--mode ordered", "OrderedReliable|UnorderedReliable")]
    [TestCase("--mode 7", "'7' is not allowed for --mode")]
    [TestCase("--receipts both", "received|taken")]
    [TestCase("--impair loss=x", "is not allowed for --impair: loss|delay|reorder|bad|settings such as")]
    [TestCase("--rounds 0", "1 to 1000")]
    [TestCase("--encrypt", "--encrypt is refused")]
    [TestCase("--system enet --mode Unreliable", "Modes and receipts are Gudp's; enet has none.")]
    [TestCase("--system tcp --no-offload", "gudp and udp-raw")]
    [TestCase("--system zeromq --framework", "gudp and udp-raw")]
    [TestCase("--system tcp --impair loss", "The relay carries UDP: gudp, udp-raw, enet; not tcp.")]
    [TestCase("--impair loss --peers 201 --work n-to-1", "at most 200 peers")]
    [TestCase("--system udp-raw --size 1473", "A message of udp-raw has 32 to 1472 bytes.")]
    [TestCase("--work n-to-n --peers 1", "2 to 32 nodes")]
    public async Task A_mistake_says_what_is_allowed(string arguments, string expected)
    {
        StringWriter log = new();

        int code = await LoadCommand.RunAsync(arguments.Split(' '), log);

        Assert.That(code, Is.EqualTo(2));
        Assert.That(log.ToString(), Does.Contain(expected));
    }

    [Test]
    public void A_plan_reads_back_as_it_was_written()
    {
        NodePlan plan = new()
        {
            Cell = new LoadCell(LoadSystems.Gudp, LoadWork.NToN, 256, 4)
            {
                Rate = 12.5,
                Waiting = LoadWaiting.Block,
                HasOffload = false,
                IsFrameworkOnly = true,
                Impairment = "bad",
                Gudp = new GudpChoices { Mode = LaneMode.Unreliable, NotifyReceived = true },
            },
            Timing = new LoadTiming { WarmUp = TimeSpan.FromSeconds(0.1), IsPinned = true },
            FirstSender = 8,
            Ports = [1_000, 2_000],
            LinksEach = 3,
            Expected = 5,
            Sends = true,
            SendsBack = true,
            Processor = 1,
        };

        NodePlan back = NodePlan.Parse(plan.ToJson());

        Assert.That(back.ToJson(), Is.EqualTo(plan.ToJson()));
        Assert.That((back.Cell, back.Timing, back.Links), Is.EqualTo((plan.Cell, plan.Timing, 11)));
    }

    [Test]
    public void What_a_process_says_reads_back_and_anything_else_is_no_line_of_it()
    {
        StringWriter output = new();
        NodeResult result = new() { Arrived = 5, Spans = [1, 2], Traffic = new LoadTraffic(1, 2, 3, 4, 5) };

        new NodeLine { Result = result }.Write(output);

        NodeResult back = NodeLine.Read(output.ToString())!.Result!;
        Assert.That((back.Arrived, back.Traffic), Is.EqualTo((5L, result.Traffic)));
        Assert.That(back.Spans, Is.EqualTo(result.Spans));
        Assert.That(NodeLine.Read("Unhandled exception."), Is.Null);
    }
}

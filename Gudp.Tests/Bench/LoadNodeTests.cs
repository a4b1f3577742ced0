using Gudp.Bench.Load;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>What one process of a measurement says about what it received.</summary>
[TestFixture]
public sealed class LoadNodeTests
{
    private const int Bytes = 64;

    private static readonly LoadCell Cell = new(LoadSystems.Gudp, LoadWork.OneWay, Bytes, 1);

    [Test]
    public void A_whole_stream_has_no_error()
    {
        LoadNode node = NewNode();

        Deliver(node, LoadKind.Data, 0);
        Deliver(node, LoadKind.Data, 1);
        Deliver(node, LoadKind.End, 2);

        NodeResult result = node.Result(isWhole: true);
        Assert.That((result.Errors, result.Fault), Is.EqualTo((0L, (string?)null)));
    }

    [Test]
    public void A_damaged_message_is_an_error()
    {
        LoadNode node = NewNode();
        byte[] message = Message(LoadKind.Data, 0);

        message[^1] ^= 1;
        node.Take(0, message);

        NodeResult result = node.Result(isWhole: true);
        Assert.That((result.Errors, result.Fault), Is.EqualTo((1L, "A message was damaged")));
    }

    [TestCase(Bytes - 1)]
    [TestCase(Bytes + 1)]
    public void A_message_of_another_length_is_an_error(int bytes)
    {
        LoadNode node = NewNode();
        byte[] message = new byte[bytes];
        new LoadMessage(LoadKind.Data, 1, 0, 0).Write(message);

        node.Take(0, message);

        Assert.That(node.Result(isWhole: true).Errors, Is.EqualTo(1));
    }

    [Test]
    public void A_gap_is_an_error_with_what_was_due()
    {
        LoadNode node = NewNode();

        Deliver(node, LoadKind.Data, 0);
        Deliver(node, LoadKind.Data, 2);

        NodeResult result = node.Result(isWhole: true);
        Assert.That((result.Errors, result.Fault), Is.EqualTo((1L, "2 came when 1 was due")));
    }

    [Test]
    public void Who_does_not_end_in_time_is_an_error()
    {
        NodeResult result = NewNode().Result(isWhole: false);

        Assert.That((result.Errors, result.Fault), Is.EqualTo((1L, "It did not end in time")));
    }

    [Test]
    public void A_question_is_answered_over_the_link_it_came_by()
    {
        Wire wire = new();
        LoadNode node = new(Plan with { Cell = Cell with { Work = LoadWork.RequestResponse } }, wire);

        node.Take(7, Message(LoadKind.Request, 3));

        LoadMessage.TryRead(wire.Sent[0].Message, out LoadMessage answer);
        Assert.That((wire.Sent[0].Link, answer.Kind, answer.Number), Is.EqualTo((7, LoadKind.Response, 3L)));
    }

    private static NodePlan Plan => new() { Cell = Cell, Timing = new LoadTiming() };

    private static LoadNode NewNode() => new(Plan, new Wire());

    private static void Deliver(LoadNode node, LoadKind kind, long number) => node.Take(0, Message(kind, number));

    private static byte[] Message(LoadKind kind, long number)
    {
        byte[] message = new byte[Bytes];
        new LoadMessage(kind, 1, number, 0).Write(message);
        return message;
    }

    /// <summary>Keeps what is sent.</summary>
    private sealed class Wire : ILoadTransport
    {
        internal List<(int Link, byte[] Message)> Sent { get; } = [];

        public int Port => 1;

        public int Connect(int port, int sender) => 0;

        public bool AreOpen() => true;

        public bool TrySend(int link, ReadOnlySpan<byte> message)
        {
            Sent.Add((link, message.ToArray()));
            return true;
        }

        public void Flush()
        {
            // It is there already.
        }

        public int Poll(ILoadInbox inbox) => 0;

        public void Wait(TimeSpan atMost, bool isRefused)
        {
            // Nothing comes.
        }

        public LoadTraffic ReadTraffic() => LoadTraffic.Unknown;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}

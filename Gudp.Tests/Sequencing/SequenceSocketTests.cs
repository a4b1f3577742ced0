using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>The calls that block, on real sockets, and what ends them.</summary>
[TestFixture]
public sealed class SequenceSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly MessagingConfig Messaging = new() { Core = SimWorld.Plain };

    private readonly Stack<IDisposable> _owned = new();
    private Daemon _daemon = null!;
    private SequenceServer _server = null!;
    private SequenceClient _sender = null!;
    private SequenceClient _reader = null!;

    [SetUp]
    public void Start()
    {
        SequencingConfig config = new()
        {
            Roster = [new("reads") { Subscribe = ["x"], MayPeek = true }, new("sends") { Publish = ["x"] }],
        };
        _daemon = new Daemon(Messaging.Core);
        _daemon.Start();
        _server = new SequenceServer(_daemon, PeerAddress.LoopbackIPv4(0), config, Messaging);
        _sender = SequenceClient.Begin(Endpoint(), _server.LocalAddress, MemberOptions.From(config, "sends"));
        _reader = SequenceClient.Begin(Endpoint(), _server.LocalAddress, MemberOptions.From(config, "reads"));

        // Both have said hello, so neither wait needs the other one.
        _sender.WaitForGrant(Patience);
        _reader.ReadGrant(Patience);
    }

    [TearDown]
    public void Stop()
    {
        _sender.Dispose();
        _reader.Dispose();

        while (_owned.TryPop(out IDisposable? owned))
        {
            owned.Dispose();
        }

        _server.Dispose();
        _daemon.Dispose();
    }

    [Test]
    public void Grants_are_looked_at_where_they_lie_and_the_inbox_before_them()
    {
        _sender.Publish("x", "first", new Tag(4, 0));
        _sender.Publish("x", "second", new Tag(6, 0));
        _sender.AdvanceTo(3, Patience);

        IReadOnlyList<SequencedMessage> waiting = _reader.Peek(Patience);
        _sender.RequestTo(10);
        _reader.RequestNext(100);
        string first = TextOf(_reader.ReadGrant(Patience));
        _reader.RequestNext(100);
        string second = "";
        bool isThere = SpinWait.SpinUntil(() => IsRead(out second), Patience);

        Assert.That(waiting.Select(message => message.Text), Is.EqualTo((string[])["first", "second"]));
        Assert.That(_reader.Start!.Tag, Is.EqualTo(Tag.Zero));
        Assert.That((first, isThere, second), Is.EqualTo(("4 first", true, "6 second")));
        Assert.That(_reader.TryReadGrant(out _), Is.False);
    }

    [Test]
    public void A_reader_without_patience_or_with_nothing_asked_for_is_told_so()
    {
        _reader.RequestNext(100);

        Assert.Throws<TimeoutException>(() => _reader.ReadGrant(TimeSpan.FromMilliseconds(20)));
        Assert.Throws<InvalidOperationException>(() => _sender.ReadGrant(Patience));
    }

    // Wherever in its wait the other thread is by then, the call ends.
    [Test]
    public void Disposing_a_client_ends_the_call_that_waits_in_another_thread()
    {
        _reader.RequestNext(100);
        Task waiting = WaitInAnotherThread(() => _reader.ReadGrant(Timeout.InfiniteTimeSpan));

        _reader.Dispose();

        Assert.That(() => waiting.Wait(Patience), Throws.InnerException.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposing_a_reader_of_the_log_ends_the_call_that_waits_in_another_thread()
    {
        SequenceReader log = Own(SequenceReader.Connect(Endpoint(), _server.LocalAddress, HistoryStart.Live));
        Task waiting = WaitInAnotherThread(() => log.Read(Timeout.InfiniteTimeSpan));

        log.Dispose();

        Assert.That(
            () => waiting.Wait(Patience),
            Throws.InnerException.TypeOf<SequencingException>().Or.InnerException.TypeOf<ObjectDisposedException>());
    }

    private static Task WaitInAnotherThread(Action wait)
    {
        using ManualResetEventSlim begun = new();
        Task waiting = Task.Factory.StartNew(
            () =>
            {
                begun.Set();
                wait();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        Assert.That(begun.Wait(Patience), Is.True);
        Assert.That(waiting.IsCompleted, Is.False);
        return waiting;
    }

    private static string TextOf(in GrantView grant) => $"{grant.Tag} {grant.Messages[0].Text}";

    private bool IsRead(out string text)
    {
        bool isThere = _reader.TryReadGrant(out GrantView grant);
        text = isThere ? TextOf(in grant) : "";
        return isThere;
    }

    // Each has a port of its own: one address is one peer.
    private MessageEndpoint Endpoint() => Own(new MessageEndpoint(_daemon, PeerAddress.LoopbackIPv4(0), Messaging));

    private T Own<T>(T made)
        where T : IDisposable
    {
        _owned.Push(made);
        return made;
    }
}

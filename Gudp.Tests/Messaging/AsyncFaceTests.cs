using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>The asynchronous face, over real sockets: waits without a thread, and cancellation without loss.</summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class AsyncFaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly MessagingConfig Config = new()
    {
        LaneRingBytes = 64 * 1024,
        Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
    };

    [Test]
    public async Task A_send_waits_for_room_and_no_message_is_lost()
    {
        const int Messages = 2_000;
        await using Loopback link = await Loopback.OpenAsync(Config);
        Task<List<int>> reading = ReadNumbersAsync(link.Server, Messages);
        byte[] message = new byte[1_000];

        for (int i = 0; i < Messages; i++)
        {
            BitConverter.TryWriteBytes(message, i);
            await link.Client.SendAsync(message).AsTask().WaitAsync(Patience);
        }

        List<int> read = await reading.WaitAsync(Patience);

        Assert.That(read, Is.EqualTo(Enumerable.Range(0, Messages)));
    }

    [Test]
    public async Task A_send_to_a_closed_connection_or_too_large_says_why_it_was_refused()
    {
        await using Loopback link = await Loopback.OpenAsync(Config);
        byte[] huge = new byte[Config.MaxMessageBytes + 1];

        MessageRefusedException? tooLarge
            = await Assert.ThrowsAsync<MessageRefusedException>(async () => await link.Client.SendAsync(huge));
        link.Client.Close();
        MessageRefusedException? closed
            = await Assert.ThrowsAsync<MessageRefusedException>(async () => await link.Client.SendAsync(new byte[1]));

        Assert.That(tooLarge!.Status, Is.EqualTo(SendStatus.TooLarge));
        Assert.That(tooLarge.Limit, Does.Contain("MaxMessageBytes"));
        Assert.That(closed!.Status, Is.EqualTo(SendStatus.Closed));
        Assert.That(closed.Limit, Does.Contain("CloseReason"));
    }

    [Test]
    public async Task A_send_that_waits_is_cancelled_or_refused_when_the_connection_ends()
    {
        await using Loopback link = await Loopback.OpenAsync(Config);
        await FillAsync(link.Client);
        using CancellationTokenSource cancel = new();
        Task<SendReceipt> cancelled = link.Client.SendAsync(new byte[10_000], default, cancel.Token).AsTask();
        Task<SendReceipt> refused = link.Client.SendAsync(new byte[10_000]).AsTask();

        cancel.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
        link.Client.Close();

        MessageRefusedException? closed
            = await Assert.ThrowsAsync<MessageRefusedException>(() => refused.WaitAsync(Patience));
        Assert.That(closed!.Status, Is.EqualTo(SendStatus.Closed));
    }

    [Test]
    public async Task Opening_and_flushing_are_waited_for_until_they_are_done_cancelled_or_never_will_be()
    {
        await using Loopback link = await Loopback.OpenAsync(Config);
        using MessageEndpoint deaf = new(link.LeftDaemon, PeerAddress.LoopbackIPv4(0), Config);
        using CancellationTokenSource cancel = new();
        bool open = await link.Client.WaitUntilOpenAsync();
        link.Client.TrySend("there"u8);
        bool flushed = await link.Client.FlushAsync().AsTask().WaitAsync(Patience);

        using Peer nobody = link.Caller.Connect(deaf.LocalAddress);
        nobody.TrySend("never"u8);
        Task<bool> opening = nobody.WaitUntilOpenAsync(cancel.Token).AsTask();
        Task<bool> flushing = nobody.FlushAsync(cancel.Token).AsTask();
        Task<bool> ending = nobody.WaitUntilOpenAsync().AsTask();
        cancel.Cancel();

        Assert.That(open && flushed, Is.True);
        await Assert.CatchAsync<OperationCanceledException>(() => opening.WaitAsync(Patience));
        await Assert.CatchAsync<OperationCanceledException>(() => flushing.WaitAsync(Patience));
        nobody.Close();
        Assert.That(await ending.WaitAsync(Patience), Is.False);
    }

    // Goal: whoever is cancelled while a message comes in has not taken it with him.
    [Test]
    public async Task Cancelling_readers_again_and_again_loses_and_doubles_nothing()
    {
        const int Messages = 3_000;
        await using Loopback link = await Loopback.OpenAsync(Config);
        Task writing = WriteNumbersAsync(link.Client, Messages);
        List<int> read = [];

        while (read.Count < Messages)
        {
            using CancellationTokenSource cancel = new();

            try
            {
                await foreach (ReceivedMessage message in link.Server.ReceiveAllAsync(cancel.Token))
                {
                    using (message)
                    {
                        read.Add(BitConverter.ToInt32(message.Span));
                    }

                    if (read.Count == Messages)
                    {
                        break;
                    }

                    if (read.Count % 7 == 0)
                    {
                        cancel.CancelAfter(TimeSpan.FromTicks(read.Count % 50));
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The next one goes on where this one stopped.
            }
        }

        await writing.WaitAsync(Patience);
        Assert.That(read, Is.EqualTo(Enumerable.Range(0, Messages)));
    }

    [Test]
    public async Task One_enumeration_serves_all_peers_and_ends_with_the_endpoint()
    {
        const int Clients = 3;
        const int Messages = 500;
        await using Loopback link = await Loopback.OpenAsync(Config);
        List<Peer> clients = [.. Enumerable.Range(0, Clients).Select(_ => link.Connect())];
        Dictionary<Peer, int> next = [];
        using CancellationTokenSource all = new(Patience);
        Task accepting = AcceptAsync(link.Listener, Clients);

        Task[] writing = [.. clients.Select(client => WriteNumbersAsync(client, Messages))];

        await foreach ((Peer from, ReceivedMessage message) in link.Listener.ReceiveAllAsync(all.Token))
        {
            using (message)
            {
                int expected = next.GetValueOrDefault(from);
                Assert.That(BitConverter.ToInt32(message.Span), Is.EqualTo(expected));
                next[from] = expected + 1;
            }

            if (next.Values.Sum() == Clients * Messages)
            {
                link.Listener.Dispose();
            }
        }

        await Task.WhenAll([accepting, .. writing]).WaitAsync(Patience);
        Assert.That(next.Values, Is.EqualTo(Enumerable.Repeat(Messages, Clients)));
    }

    [Test]
    public async Task Accepting_ends_with_the_endpoint_and_can_be_cancelled()
    {
        await using Loopback link = await Loopback.OpenAsync(Config);
        using CancellationTokenSource cancel = new();
        Task<Peer?> cancelled = link.Listener.AcceptAsync(cancel.Token).AsTask();
        Task<Peer?> ended = link.Listener.AcceptAsync().AsTask();

        cancel.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
        link.Listener.Dispose();
        Peer? nobody = await ended.WaitAsync(Patience);

        Assert.That(nobody, Is.Null);
    }

    // Goal: what follows a wait is the user's code, which may block: it must never do so on the thread of the turn.
    [Test]
    public async Task What_follows_a_wait_never_runs_on_the_thread_that_leads_the_turn()
    {
        await using Loopback link = await Loopback.OpenAsync(Config);
        Task<string?> afterReceive = ThreadAfterAsync(link.Server.ReceiveAsync());
        Task<string?> afterAny = ThreadAfterFirstAsync(link.Listener);
        Task<string?> afterAccept = ThreadAfterAsync(link.Listener.AcceptAsync());

        link.Client.TrySend([1]);
        link.Client.TrySend([2]);
        using Peer another = link.Connect();
        string?[] names = await Task.WhenAll(afterReceive, afterAny, afterAccept).WaitAsync(Patience);

        Assert.That(names, Has.None.StartsWith("gudp-"));
    }

    private static async Task<string?> ThreadAfterAsync<T>(ValueTask<T> wait)
    {
        _ = await wait.ConfigureAwait(false);
        return Thread.CurrentThread.Name;
    }

    private static async Task<string?> ThreadAfterFirstAsync(MessageEndpoint endpoint)
    {
        await foreach ((Peer _, ReceivedMessage message) in endpoint.ReceiveAllAsync())
        {
            message.Dispose();
            break;
        }

        return Thread.CurrentThread.Name;
    }

    private static async Task AcceptAsync(MessageEndpoint listener, int count)
    {
        await foreach (Peer _ in listener.AcceptAllAsync())
        {
            if (--count == 0)
            {
                return;
            }
        }
    }

    private static async Task WriteNumbersAsync(Peer peer, int count)
    {
        byte[] message = new byte[100];

        for (int i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(message, i);
            await peer.SendAsync(message).ConfigureAwait(false);
        }
    }

    private static async Task<List<int>> ReadNumbersAsync(Peer peer, int count)
    {
        List<int> read = [];

        await foreach (ReceivedMessage message in peer.ReceiveAllAsync())
        {
            using (message)
            {
                read.Add(BitConverter.ToInt32(message.Span));
            }

            if (read.Count == count)
            {
                break;
            }
        }

        return read;
    }

    // The peer's application does not read: its ring and ours take this much, and not one more.
    private static async Task FillAsync(Peer peer)
    {
        byte[] message = new byte[10_000];
        int fit = 2 * Config.LaneRingBytes / (message.Length + 3);

        for (int i = 0; i < fit; i++)
        {
            await peer.SendAsync(message).AsTask().WaitAsync(Patience);
        }
    }
}

// Sends something over loopback on each of the three layers, and says what arrived.

using System.Text;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;

TimeSpan patience = TimeSpan.FromSeconds(20);
MessagingConfig config = MessagingConfig.Parse("Preset=Lockstep;Core.Connections.Security.Protection=Plain");

using Daemon daemon = new(config.Core);
daemon.Start();

string packet = SendPacket();
(string message, SendReceipt receipt) = SendMessage();
Grant grant = await PublishAsync();
string published = Encoding.UTF8.GetString(grant.Messages[0].Payload.Span);

Console.WriteLine($"packet {packet}; message {message} {receipt.Take}; channel {published} at {grant.Tag}");

string SendPacket()
{
    using Endpoint server = daemon.Open(PeerAddress.LoopbackIPv4(0));
    using Endpoint client = daemon.Open(PeerAddress.LoopbackIPv4(0));
    server.Listen();

    using Connection toServer = client.Connect(server.LocalAddress);
    toServer.WaitUntilOpen(patience);
    toServer.TrySend("one"u8, PacketDelivery.Reliable);

    using Connection fromClient = server.Accept(patience)!;
    byte[] buffer = new byte[fromClient.MaxPacketBytes];
    fromClient.Receive(buffer, patience, out int length);
    return Encoding.UTF8.GetString(buffer, 0, length);
}

(string Message, SendReceipt Receipt) SendMessage()
{
    using MessageEndpoint server = new(daemon, PeerAddress.LoopbackIPv4(0), config);
    using MessageEndpoint client = new(daemon, PeerAddress.LoopbackIPv4(0), config);
    server.Listen();

    using Peer toServer = client.Connect(server.LocalAddress);
    toServer.TrySend("two"u8, new SendOptions { NotifyTaken = true }, out SendReceipt sent);

    using Peer fromClient = server.Accept(patience)!;
    fromClient.Receive(patience, out ReceivedMessage received);
    string text = Encoding.UTF8.GetString(received.Span);
    received.Dispose();

    ReceiptUpdate[] update = new ReceiptUpdate[1];

    while (toServer.TakeUpdates(update) == 0)
    {
        Thread.Yield();
    }

    return (text, update[0].Receipt);
}

async Task<Grant> PublishAsync()
{
    SequencingConfig run = new()
    {
        Roster = [new("sensor") { Publish = ["light"] }, new("lamp") { Subscribe = ["light"] }],
    };
    using SequenceServer server = new(daemon, PeerAddress.LoopbackIPv4(0), run, config);
    using MessageEndpoint first = new(daemon, PeerAddress.LoopbackIPv4(0), config);
    using MessageEndpoint second = new(daemon, PeerAddress.LoopbackIPv4(0), config);
    using CancellationTokenSource limit = new(patience);

    SequenceClient[] members = await Task.WhenAll(
        SequenceClient.JoinAsync(first, server.LocalAddress, MemberOptions.From(run, "sensor"), limit.Token),
        SequenceClient.JoinAsync(second, server.LocalAddress, MemberOptions.From(run, "lamp"), limit.Token));
    using SequenceClient sensor = members[0];
    using SequenceClient lamp = members[1];

    sensor.Publish("light", "three"u8, at: 7);
    await sensor.AdvanceToAsync(10, limit.Token);
    return await lamp.NextAsync(Tag.EndOf(100), limit.Token);
}

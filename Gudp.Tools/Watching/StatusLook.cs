using System.Text;
using System.Text.Json;
using Gudp.Messaging;
using Gudp.Tools.Output;

namespace Gudp.Tools.Watching;

/// <summary>What a status port said at one moment.</summary>
/// <param name="Text">The answer as it came.</param>
/// <param name="Peers">Its entries.</param>
/// <param name="PeersLeftOut">Peers for which the answer had no room.</param>
internal sealed record StatusLook(string Text, IReadOnlyList<PeerRow> Peers, long PeersLeftOut)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks and waits for the answer.</summary>
    /// <exception cref="CommandFailure">Nothing came, or something else than an answer.</exception>
    /// <param name="peer">Who is asked.</param>
    /// <param name="before">An earlier answer of the same peer; null: it may be no status port at all.</param>
    /// <param name="cancelled">Ends the wait.</param>
    internal static async Task<StatusLook> AskAsync(Peer peer, StatusLook? before, CancellationToken cancelled)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(Patience);
        peer.TrySend(Encoding.ASCII.GetBytes(StatusReporter.Question));

        try
        {
            ReceivedMessage? received = await peer.ReceiveAsync(late.Token).ConfigureAwait(false);

            if (received is not { } message)
            {
                throw new CommandFailure(ExitCode.TimedOut, $"The observed process is gone ({peer.CloseReason}).");
            }

            using (message)
            {
                return Read(Encoding.UTF8.GetString(message.Span));
            }
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            throw new CommandFailure(
                ExitCode.TimedOut,
                before is null
                    ? "No answer; is this the port that --status-port named?"
                    : $"The observed process has not answered for {Patience.TotalSeconds:0} s.");
        }
    }

    /// <summary>Reads an answer; it comes from the network.</summary>
    /// <exception cref="CommandFailure">It is none.</exception>
    internal static StatusLook Read(string text)
    {
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            List<PeerRow> peers = [];

            foreach (JsonElement entry in parsed.RootElement.GetProperty("peers").EnumerateArray())
            {
                peers.Add(PeerRow.Read(entry));
            }

            long leftOut = parsed.RootElement.TryGetProperty("peersLeftOut", out JsonElement left)
                && left.TryGetInt64(out long count) ? count : 0;
            return new StatusLook(text, peers, leftOut);
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException
            or InvalidOperationException)
        {
            throw new CommandFailure(ExitCode.CheckFailed, "What came is not an answer to a status question.");
        }
    }

    /// <summary>As rows; rates are those since an earlier look.</summary>
    /// <param name="earlier">Null: there are no rates yet.</param>
    /// <param name="elapsed">Since then.</param>
    internal TextTable ToTable(StatusLook? earlier, TimeSpan elapsed)
    {
        TextTable table = new(
            "peer", "rtt", "lost", "out", "in", "msgs out/s", "msgs in/s", "waiting", "unread", "memory", "status");
        Dictionary<string, PeerRow> before = [];

        foreach (PeerRow peer in earlier?.Peers ?? [])
        {
            before[peer.Key] = peer;
        }

        foreach (PeerRow peer in Peers)
        {
            PeerRow? old = before.GetValueOrDefault(peer.Key);
            table.Add(
                peer.Remote,
                Units.Span(peer.RoundTrip),
                Units.Share(peer.PacketsLost, peer.PacketsLost + peer.PacketsAcked),
                old is null ? "-" : Units.Rate(peer.BytesSent - old.BytesSent, elapsed),
                old is null ? "-" : Units.Rate(peer.BytesReceived - old.BytesReceived, elapsed),
                old is null ? "-" : PerSecond(peer.MessagesSent - old.MessagesSent, elapsed),
                old is null ? "-" : PerSecond(peer.MessagesReceived - old.MessagesReceived, elapsed),
                Units.Bytes(peer.WaitingBytes),
                Units.Bytes(peer.UnreadBytes),
                Units.Bytes(peer.MemoryBytes),
                peer.Slow.Length > 0 ? peer.Slow : peer.Status);
        }

        return table;
    }

    private static string PerSecond(long count, TimeSpan elapsed)
        => elapsed > TimeSpan.Zero ? Units.Count((long)Math.Round(count / elapsed.TotalSeconds)) : "-";
}

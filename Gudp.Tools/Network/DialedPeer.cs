// Connecting to a name: a name may stand for several addresses, of both families, and any of them may be dead.
// They are tried in the system's order, the next one with a short delay, and the first that opens is kept
// (after RFC 8305, "happy eyeballs").

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;

namespace Gudp.Tools.Network;

/// <summary>An open connection to what the user named. Disposing ends it.</summary>
internal sealed class DialedPeer : IDisposable
{
    // RFC 8305 section 5 recommends this delay between two attempts.
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly Daemon _daemon;
    private readonly List<MessageEndpoint> _endpoints = [];
    private readonly IMessageSink? _sink;

    private DialedPeer(Daemon daemon, IMessageSink? sink)
    {
        _daemon = daemon;
        _sink = sink;
    }

    internal Peer Peer { get; private set; } = null!;

    /// <summary>Connects to the first address of <paramref name="target"/> that answers.</summary>
    /// <param name="target">Whom the user named.</param>
    /// <param name="config">How.</param>
    /// <param name="cancelled">Ends the attempt.</param>
    /// <param name="sink">Takes what comes, on the daemon's thread; null to receive.</param>
    /// <exception cref="CommandFailure">Nobody answered, or who answered refused.</exception>
    internal static async Task<DialedPeer> ConnectAsync(
        HostPort target, MessagingConfig config, CancellationToken cancelled, IMessageSink? sink = null)
    {
        IReadOnlyList<PeerAddress> addresses = await target.ResolveAsync(cancelled).ConfigureAwait(false);
        DialedPeer dialed = new(new Daemon(config.Core), sink);

        try
        {
            dialed._daemon.Start();
            dialed.Peer = await dialed.FirstOpenAsync(target, addresses, config, cancelled).ConfigureAwait(false);
            return dialed;
        }
        catch
        {
            dialed.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (MessageEndpoint endpoint in _endpoints)
        {
            endpoint.Dispose();
        }

        _daemon.Dispose();
    }

    private async Task<Peer> FirstOpenAsync(
        HostPort target, IReadOnlyList<PeerAddress> addresses, MessagingConfig config, CancellationToken cancelled)
    {
        List<Peer> attempts = [];
        TimeSpan sinceLast = HeadStart;

        while (true)
        {
            bool anyoneAlive = attempts.Any(attempt => !attempt.Status.IsFinal);

            if (attempts.Count < addresses.Count && (sinceLast >= HeadStart || !anyoneAlive))
            {
                attempts.Add(Start(addresses[attempts.Count], config));
                sinceLast = TimeSpan.Zero;
                continue;
            }

            if (attempts.Find(attempt => attempt.Status.IsOpen) is { } open)
            {
                attempts.FindAll(attempt => attempt != open).ForEach(attempt => attempt.Dispose());
                return open;
            }

            if (!anyoneAlive)
            {
                throw Failure(target, attempts);
            }

            await Task.Delay(Step, cancelled).ConfigureAwait(false);
            sinceLast += Step;
        }
    }

    private Peer Start(PeerAddress address, MessagingConfig config)
    {
        PeerAddress local = address.IsIPv4 ? PeerAddress.AnyIPv4(0) : PeerAddress.AnyIPv6(0);
        MessageEndpoint endpoint = new(_daemon, local, config, _sink);
        _endpoints.Add(endpoint);
        return endpoint.Connect(address);
    }

    private static CommandFailure Failure(HostPort target, List<Peer> attempts)
    {
        // A refusal says more than a silence.
        CloseReason? refusal = attempts
            .Select(attempt => attempt.CloseReason)
            .FirstOrDefault(reason => reason is not null && reason.Code != CloseCode.HandshakeTimeout);

        return new CommandFailure(
            ExitCode.NotConnected,
            refusal is null
                ? $"Nobody answers at {target}."
                : $"No connection to {target}: {refusal}.");
    }
}

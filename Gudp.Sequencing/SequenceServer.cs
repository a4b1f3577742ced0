using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

// The engine on a message endpoint: bytes of members go in, its answers go out on the lane they came by.
//
// Always true:
//   - the engine is touched inside the turn only, so by one thread at a time;
//   - what a full lane refused waits here and leaves in its order, before anything newer for that member.

/// <summary>
/// Orders the messages of a run and grants its members their advances: the sequence server as a library. Run the
/// daemon (its own thread, or <see cref="Daemon.ProcessIO"/>) and it works; it has no thread of its own (B11).
/// </summary>
public sealed class SequenceServer : IDisposable
{
    private readonly ServerEngine _engine;
    private readonly MessageEndpoint _endpoint;
    private readonly Dictionary<long, Link> _links = [];
    private readonly ManualResetEventSlim _ended = new();
    private long _lastLink;
    private long _refusals;

    /// <summary>Opens the server for one run. Members may join at once; the run starts when all of the roster are there.</summary>
    /// <param name="daemon">Drives it; started or pumped by the caller, who also disposes it.</param>
    /// <param name="local">Where members find it; port 0 lets the system pick, see <see cref="LocalAddress"/>.</param>
    /// <param name="config">Members, channels and limits of the run.</param>
    /// <param name="messaging">How messages travel.</param>
    /// <exception cref="SequencingException">The run's configuration breaks a rule.</exception>
    /// <exception cref="GudpConfigException">The messaging configuration breaks a rule.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    public SequenceServer(Daemon daemon, PeerAddress local, SequencingConfig config, MessagingConfig messaging = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        RunLayout layout = new(config);
        _engine = new ServerEngine(layout);
        ConfigHash = layout.ConfigHash;
        _endpoint = new MessageEndpoint(daemon, local, messaging, new Sink(this));
        _endpoint.Listen();
    }

    /// <summary>The address it is bound to.</summary>
    public PeerAddress LocalAddress => _endpoint.LocalAddress;

    /// <summary>Hash over what members can see of the configuration; a member that names another one is refused.</summary>
    public ulong ConfigHash { get; }

    /// <summary>True once everybody has resigned, or the run was aborted. Any thread.</summary>
    public bool HasEnded => _ended.IsSet;

    /// <summary>The digest of the whole run; valid once <see cref="HasEnded"/>.</summary>
    public ulong RunDigest { get; private set; }

    /// <summary>Frames and commits of members that were refused so far. Any thread.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    /// <summary>Waits for the end of the run. Any thread but the daemon's.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed first.</returns>
    public bool WaitForEnd(TimeSpan timeout) => _ended.Wait(timeout);

    /// <summary>Takes no more members. Connections end with the daemon.</summary>
    public void Dispose() => _endpoint.Dispose();

    private void HandleMessage(Peer from, ReadOnlySpan<byte> message, Instant now)
    {
        _engine.HandleMessage(LinkOf(from).Number, message, now);
        Answer(now);
    }

    private void HandleClosed(Peer peer, Instant now)
    {
        if (peer.Tag is Link link)
        {
            _links.Remove(link.Number);
            link.DropAll();
            _engine.HandleLinkLost(link.Number, now);
            Answer(now);
        }
    }

    private void Answer(Instant now)
    {
        _engine.Evaluate(now);

        while (_engine.TryTakeOutgoing(out Outgoing outgoing))
        {
            if (_links.TryGetValue(outgoing.Link, out Link? link))
            {
                link.Send(outgoing);
            }
            else
            {
                outgoing.Release();
            }
        }

        Volatile.Write(ref _refusals, _engine.Refusals);

        if (_engine.Phase is RunPhase.Ended or RunPhase.Aborted && !_ended.IsSet)
        {
            RunDigest = _engine.RunDigest;
            _ended.Set();
        }
    }

    private Link LinkOf(Peer peer)
    {
        if (peer.Tag is Link known)
        {
            return known;
        }

        Link link = new(++_lastLink, peer);
        peer.Tag = link;
        _links.Add(link.Number, link);
        return link;
    }

    /// <summary>What goes to one member.</summary>
    private sealed class Link(long number, Peer peer)
    {
        private readonly Queue<Outgoing> _waiting = new();

        internal long Number { get; } = number;

        internal void Send(in Outgoing outgoing)
        {
            if (_waiting.Count > 0 || !TrySend(outgoing))
            {
                _waiting.Enqueue(outgoing);
            }
        }

        internal void SendWaiting()
        {
            while (_waiting.TryPeek(out Outgoing oldest) && TrySend(oldest))
            {
                _waiting.Dequeue();
            }
        }

        internal void DropAll()
        {
            while (_waiting.TryDequeue(out Outgoing outgoing))
            {
                outgoing.Release();
            }
        }

        /// <returns>False if there is no room now; anything else is final for the message.</returns>
        private bool TrySend(in Outgoing outgoing)
        {
            SendStatus status = peer.TrySend(outgoing.Message);

            if (status is SendStatus.LaneFull or SendStatus.PeerFull or SendStatus.DaemonFull or SendStatus.NoCredit)
            {
                return false;
            }

            // Too large for the link, or the link is gone: the member cannot be served any more.
            if (status != SendStatus.Accepted)
            {
                peer.Close(new CloseReason(CloseCode.MessageTooLarge, $"A message of the run could not be sent: {status}."));
            }

            outgoing.Release();
            return true;
        }
    }

    private sealed class Sink(SequenceServer server) : IMessageSink
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
            => server.HandleMessage(from, message, now);

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            switch (change)
            {
                case PeerChange.Writable:
                    (peer.Tag as Link)?.SendWaiting();
                    break;
                case PeerChange.Closed:
                    server.HandleClosed(peer, now);
                    break;
                default:
                    break;
            }
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}

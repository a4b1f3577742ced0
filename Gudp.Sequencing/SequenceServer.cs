using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

// The engine on a message endpoint: bytes of members go in, its answers go out on the lane they came by.
//
// Always true:
//   - the engine is touched under the gate only: by the turn, and by whoever looks at the run;
//   - what a full lane refused waits here and leaves in its order, before anything newer for that member;
//   - what waits for a member never exceeds the run's limit: a member that does not read is closed instead.

/// <summary>
/// Orders the messages of a run and grants its members their advances: the sequence server as a library. Run the
/// daemon (its own thread, or <see cref="Daemon.ProcessIO"/>) and it works; it has no thread of its own (B11).
/// </summary>
public sealed partial class SequenceServer : IDisposable
{
    private readonly ServerEngine _engine;
    private readonly MessageEndpoint _endpoint;
    private readonly Dictionary<long, Link> _links = [];
    private readonly ManualResetEventSlim _ended = new();
    private readonly long _maxWaitingBytes;
    private readonly Lock _gate = new();
    private readonly Daemon _daemon;
    private readonly OperatorAccess _operators;
    private readonly SequenceMeter? _meter;
    private long _lastLink;
    private long _refusals;

    /// <summary>Opens the server for one run. Members may join at once; the run starts when all of the roster are there.</summary>
    /// <param name="daemon">Drives it; started or pumped by the caller, who also disposes it.</param>
    /// <param name="local">Where members find it; port 0 lets the system pick, see <see cref="LocalAddress"/>.</param>
    /// <param name="config">Members, channels and limits of the run.</param>
    /// <param name="messaging">How messages travel.</param>
    /// <param name="recording">Where the run is recorded; null: nowhere.</param>
    /// <exception cref="GudpConfigException">
    /// One of the configurations breaks a rule, or the largest message of the run does not fit
    /// <see cref="MessagingConfig.MaxMessageBytes"/>; all mistakes are listed.
    /// </exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    /// <exception cref="System.IO.IOException">The file of the recording cannot be made.</exception>
    /// <exception cref="ArgumentException">The recording has no place to go, or two.</exception>
    public SequenceServer(
        Daemon daemon, PeerAddress local, SequencingConfig config, MessagingConfig messaging = default,
        RunRecording? recording = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        RunLayout layout = new(config);
        CheckRoom(layout, messaging);
        _maxWaitingBytes = layout.MaxInboxBytes + layout.LargestMessageBytes;
        _engine = new ServerEngine(layout, SystemSecrets.Instance);
        ConfigHash = layout.ConfigHash;
        SettingsHash = layout.SettingsHash;
        _operators = layout.Operators;
        ArgumentNullException.ThrowIfNull(daemon);
        _daemon = daemon;
        _endpoint = new MessageEndpoint(daemon, local, messaging, new Sink(this));
        BeginRecord(layout, config, recording);
        _endpoint.Listen();
        _meter = messaging.Core.Metrics ? new SequenceMeter(messaging.Core.Name, this) : null;
    }

    /// <summary>The address it is bound to.</summary>
    public PeerAddress LocalAddress => _endpoint.LocalAddress;

    /// <summary>Hash over what members can see of the configuration; a member that names another one is refused.</summary>
    public ulong ConfigHash { get; }

    /// <summary>Hash over the rest of the configuration (<see cref="SequencingConfig.ComputeSettingsHash"/>).</summary>
    public ulong SettingsHash { get; }

    /// <summary>True once everybody has resigned, or the run was aborted. Any thread.</summary>
    public bool HasEnded => _ended.IsSet;

    /// <summary>
    /// Of a run that was aborted because a member was lost: the last tags and digests of all, and who waited for whom;
    /// else null. Valid once <see cref="HasEnded"/>.
    /// </summary>
    public string? AbortReport { get; private set; }

    /// <summary>The digest of the whole run; valid once <see cref="HasEnded"/>.</summary>
    public ulong RunDigest { get; private set; }

    /// <summary>Frames and commits of members that were refused so far. Any thread.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    /// <summary>Waits for the end of the run. Any thread but the daemon's.</summary>
    /// <param name="timeout">
    /// How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever, even if the daemon is disposed meanwhile.
    /// </param>
    /// <returns>False if the time passed first.</returns>
    public bool WaitForEnd(TimeSpan timeout) => _ended.Wait(timeout);

    /// <summary>
    /// Takes no more members. The run goes on for those that are connected; their connections end with the daemon.
    /// </summary>
    /// <remarks>The record, if there is one, is closed as it is then; that may wait for the disk.</remarks>
    public void Dispose()
    {
        _meter?.Dispose();
        _endpoint.Dispose();
        EndRecord();
    }

    private static void CheckRoom(RunLayout layout, in MessagingConfig messaging)
    {
        ConfigErrors errors = new();

        if (messaging.MaxMessageBytes < layout.LargestMessageBytes)
        {
            errors.Add(
                nameof(MessagingConfig.MaxMessageBytes), $"{messaging.MaxMessageBytes}",
                $"{layout.LargestMessageBytes} or more for this run",
                "the largest payload (SequencingConfig.MaxPayloadBytes) and the roster travel in one message each");
        }

        errors.ThrowIfAny(nameof(MessagingConfig));
    }

    private void HandleMessage(Peer from, ReadOnlySpan<byte> message, Instant now)
    {
        Link link = LinkOf(from);

        // What still arrives from a member that was given up changes nothing any more.
        lock (_gate)
        {
            if (link.IsGivenUp)
            {
                _engine.NoteIgnored();
                return;
            }

            _engine.HandleMessage(link.Number, message, now);
            Answer(now);
        }
    }

    private void HandleClosed(Peer peer, Instant now)
    {
        if (peer.Tag is Link link)
        {
            // The peer may come back on another connection: that is another link.
            peer.Tag = null;
            _links.Remove(link.Number);
            link.DropAll();

            lock (_gate)
            {
                _engine.HandleLinkLost(link.Number, now);
                Answer(now);
            }
        }
    }

    private void HandleTimeout(Instant now)
    {
        lock (_gate)
        {
            _engine.HandleTimeout(now);
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
                link.Take(outgoing);
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
            AbortReport = _engine.Run.AbortReport;
            _ended.Set();
        }
    }

    // Also when a lane has room again, which is no turn of the engine.
    private void NoteGivenUp()
    {
        lock (_gate)
        {
            _engine.NoteGivenUp();
        }
    }

    private Link LinkOf(Peer peer)
    {
        if (peer.Tag is Link known)
        {
            return known;
        }

        Link link = new(++_lastLink, peer, this);
        peer.Tag = link;
        _links.Add(link.Number, link);

        if (_operators == OperatorAccess.All
            || (_operators == OperatorAccess.Loopback && IPAddress.IsLoopback(peer.RemoteAddress.ToIPEndPoint().Address)))
        {
            lock (_gate)
            {
                _engine.AllowOperator(link.Number);
            }
        }

        return link;
    }

    /// <summary>What goes to one member.</summary>
    private sealed class Link(long number, Peer peer, SequenceServer server)
    {
        private readonly Queue<Outgoing> _waiting = new();
        private long _waitingBytes;

        internal long Number { get; } = number;

        /// <summary>True once it was closed from this end: nothing more is sent to it or taken from it.</summary>
        internal bool IsGivenUp { get; private set; }

        internal void Take(in Outgoing outgoing)
        {
            if (outgoing.Closes)
            {
                outgoing.Release();
                Close(CloseCode.Superseded, "The session goes on over another connection.");
                return;
            }

            Send(outgoing);
        }

        private void Send(in Outgoing outgoing)
        {
            if (IsGivenUp)
            {
                outgoing.Release();
                return;
            }

            _waiting.Enqueue(outgoing);
            _waitingBytes += outgoing.Message.Length;

            // Behind another one it waits for the lane's signal, as that one does.
            if (_waiting.Count == 1)
            {
                SendWaiting();
            }

            if (_waitingBytes > server._maxWaitingBytes)
            {
                GiveUp(CloseCode.CreditExceeded, "The member does not read what the run sends it.");
            }
        }

        internal void SendWaiting()
        {
            while (_waiting.TryPeek(out Outgoing oldest))
            {
                SendStatus status = peer.TrySend(oldest.Message);

                if (status is SendStatus.LaneFull or SendStatus.NoCredit or SendStatus.PeerFull
                    or SendStatus.DaemonFull)
                {
                    return;
                }

                // Too large for the link, or the link is gone: the member cannot be served any more.
                if (status != SendStatus.Accepted)
                {
                    GiveUp(CloseCode.MessageTooLarge, $"A message of the run could not be sent: {status}.");
                    return;
                }

                _waitingBytes -= oldest.Message.Length;
                _waiting.Dequeue();
                oldest.Release();
            }
        }

        internal void DropAll()
        {
            while (_waiting.TryDequeue(out Outgoing outgoing))
            {
                outgoing.Release();
            }

            _waitingBytes = 0;
        }

        private void GiveUp(CloseCode code, string detail)
        {
            server.NoteGivenUp();
            Close(code, detail);
        }

        private void Close(CloseCode code, string detail)
        {
            IsGivenUp = true;
            DropAll();
            peer.Close(new CloseReason(code, detail));
        }
    }

    private sealed class Sink(SequenceServer server) : ITimedMessageSink
    {
        public Instant NextDeadline => server._engine.NextDeadline;

        public void HandleTimeout(Instant now) => server.HandleTimeout(now);

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

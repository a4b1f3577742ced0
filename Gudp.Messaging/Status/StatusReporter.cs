// A process that can be looked at: whoever connects to the reporter's port and asks is sent what the daemons' peers
// do, as JSON. Stands on a daemon of the caller's choice; on one of its own it answers even while the observed one is
// held up by its application, which is when one wants to look.
//
// Always true:
//   - an answer is never longer than MostAnswerBytes, however many peers there are;
//   - at most one answer is made per AnswerInterval, whoever asks how often; who asks sooner gets the same text again;
//   - all who are sent an answer share one copy, and nobody has more than MostOpenAnswers under way.

using System;
using System.Buffers;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <summary>
/// Answers on a port of its own what the peers of some daemons do, as JSON: what <c>gudp top</c> shows. Nothing of the
/// kind runs unless a program makes one.
/// </summary>
/// <remarks>
/// Any thread may call any member. Whoever can reach the port can ask, so bind it to loopback unless the network is
/// trusted. A question is a message on lane 1 with the text <see cref="Question"/>; the answer is one message on lane 1
/// of at most 256 KB; if there are more peers than fit, it says how many it left out. Only who has an open connection is
/// answered, and a question is passed over while four answers to its sender are not known to have arrived. Making an answer takes some
/// microseconds per peer on the thread that leads <c>daemon</c>, at most four times a second.
/// </remarks>
/// <example><code>
/// using Daemon status = new(config.Core);
/// using StatusReporter reporter = new(status, PeerAddress.LoopbackIPv4(7001), config, daemon);
/// status.Start();
/// </code></example>
public sealed class StatusReporter : IDisposable
{
    /// <summary>The text of a question, in ASCII.</summary>
    public const string Question = "gudp status 1";

    /// <summary>An answer is never longer; 256 KB.</summary>
    public const int MostAnswerBytes = 256 * 1024;

    private static readonly TimeSpan AnswerInterval = TimeSpan.FromMilliseconds(250);

    // A question may come before it is known that the answer to the one before has arrived.
    private const int MostOpenAnswers = 4;

    private readonly MessageEndpoint _endpoint;
    private readonly Answerer _answerer;

    /// <summary>Opens the port and begins to answer.</summary>
    /// <param name="daemon">Drives the reporter's endpoint; outlives it. Best not one of the observed.</param>
    /// <param name="local">Where it answers; port 0 lets the system pick.</param>
    /// <param name="config">How the endpoint behaves; protection must be named. Its largest message is at least 256 KB.</param>
    /// <param name="observed">Whose connections are reported on.</param>
    /// <exception cref="GudpConfigException">The configuration breaks a rule.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    public StatusReporter(Daemon daemon, PeerAddress local, MessagingConfig config, params Daemon[] observed)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        ArgumentNullException.ThrowIfNull(observed);
        MessagingConfig used = config with { MaxMessageBytes = Math.Max(config.MaxMessageBytes, MostAnswerBytes) };
        _answerer = new Answerer([.. observed]);
        _endpoint = new MessageEndpoint(daemon, local, used, _answerer);
        _answerer.Begin(_endpoint);
        _endpoint.Listen();
    }

    /// <summary>Where it answers, with the port the system picked if 0 was asked for.</summary>
    public PeerAddress LocalAddress => _endpoint.LocalAddress;

    /// <summary>What the answers hold, for tests of its bound.</summary>
    internal long MemoryBytes => _endpoint.Memory.UsedBytes;

    /// <summary>Stops answering.</summary>
    public void Dispose()
    {
        _endpoint.Dispose();
        _answerer.Dispose();
    }

    // The daemon's thread answers, anybody disposes.
    private sealed class Answerer(Daemon[] observed) : IMessageSink, IDisposable
    {
        private readonly Lock _gate = new();
        private readonly ArrayBufferWriter<byte> _answer = new(4096);
        private MessageBuffer? _shared;
        private readonly byte[] _question = System.Text.Encoding.ASCII.GetBytes(Question);
        private Instant _validUntil;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
            if (lane != SendOptions.DefaultLane || !message.SequenceEqual(_question))
            {
                return;
            }

            var asker = (Asker)(from.Tag ??= new Asker());

            // Whoever asks faster than it reads has to ask again.
            if (asker.OpenAnswers >= MostOpenAnswers)
            {
                return;
            }

            lock (_gate)
            {
                if (_shared is { } answer && TryMake(answer, now)
                    && from.TrySend(answer, new SendOptions { NotifyReceived = true }, out _) == SendStatus.Accepted)
                {
                    asker.OpenAnswers++;
                }
            }
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
        }

        // Each answer has one end, also when its connection ends.
        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
            => ((Asker)peer.Tag!).OpenAnswers--;

        public void Dispose()
        {
            lock (_gate)
            {
                _shared?.Dispose();
                _shared = null;
            }
        }

        internal void Begin(MessageEndpoint endpoint) => _shared = new MessageBuffer(endpoint);

        private bool TryMake(MessageBuffer answer, Instant now)
        {
            if (answer.WrittenBytes > 0 && now < _validUntil)
            {
                return true;
            }

            _answer.ResetWrittenCount();
            StatusPage.Write(_answer, observed);
            answer.Clear();

            if (answer.TryReserve(_answer.WrittenCount) != SendStatus.Accepted)
            {
                return false;
            }

            _answer.WrittenSpan.CopyTo(answer.GetSpan(_answer.WrittenCount));
            answer.Advance(_answer.WrittenCount);
            _validUntil = now + AnswerInterval;
            return true;
        }
    }

    private sealed class Asker
    {
        internal int OpenAnswers { get; set; }
    }
}

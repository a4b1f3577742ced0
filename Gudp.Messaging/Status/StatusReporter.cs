// A process that can be looked at: whoever connects to the reporter's port and asks is sent what the daemons' peers
// do, as JSON. Stands on a daemon of the caller's choice; on one of its own it answers even while the observed one is
// held up by its application, which is when one wants to look.
//
// Always true:
//   - an answer is never longer than MostAnswerBytes, however many peers there are;
//   - at most one answer is made per AnswerInterval, whoever asks how often; who asks sooner gets the same text again.

using System;
using System.Buffers;
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
/// of at most 256 KB; if there are more peers than fit, it says how many it left out. Making an answer takes some
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

    private readonly MessageEndpoint _endpoint;

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
        _endpoint = new MessageEndpoint(daemon, local, used, new Answerer([.. observed]));
        _endpoint.Listen();
    }

    /// <summary>Where it answers, with the port the system picked if 0 was asked for.</summary>
    public PeerAddress LocalAddress => _endpoint.LocalAddress;

    /// <summary>Stops answering.</summary>
    public void Dispose() => _endpoint.Dispose();

    private sealed class Answerer(Daemon[] observed) : IMessageSink
    {
        private readonly ArrayBufferWriter<byte> _answer = new(4096);
        private readonly byte[] _question = System.Text.Encoding.ASCII.GetBytes(Question);
        private Instant _validUntil;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
            if (lane != SendOptions.DefaultLane || !message.SequenceEqual(_question))
            {
                return;
            }

            if (_answer.WrittenCount == 0 || now >= _validUntil)
            {
                _answer.ResetWrittenCount();
                StatusPage.Write(_answer, observed);
                _validUntil = now + AnswerInterval;
            }

            // Refused: whoever asks faster than it reads has to ask again.
            _ = from.TrySend(_answer.WrittenSpan);
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}

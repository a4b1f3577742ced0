using static Gudp.Core.Engine.ConnectionEvent;
using static Gudp.Core.Engine.ConnectionState;

namespace Gudp.Core.Engine;

/// <summary>Where a connection stands.</summary>
internal enum ConnectionState : byte
{
    /// <summary>Made, nothing said yet.</summary>
    Idle,

    /// <summary>The client's handshake is under way.</summary>
    Opening,

    /// <summary>Both ends hold state; packets flow.</summary>
    Open,

    /// <summary>The application has closed; what it had handed over is still delivered.</summary>
    Flushing,

    /// <summary>Goodbyes are being sent.</summary>
    Closing,

    /// <summary>Only late packets are answered or ignored, so that they do not count as a stranger's.</summary>
    Draining,

    /// <summary>Nothing more; the tables forget it.</summary>
    Ended,
}

/// <summary>What can happen to a connection.</summary>
internal enum ConnectionEvent : byte
{
    OpenAsked,
    PeerAdmitted,
    PeerAnswered,
    PeerRefused,
    CloseAsked,
    RuleBroken,
    Flushed,
    PeerClosed,
    GoodbyesSent,
    SilenceElapsed,
    QualityFailed,
    DrainElapsed,
    CutOff,
}

internal static class ConnectionTable
{
    /// <summary>
    /// The whole machine (clause S-1). A pair that is not listed is not allowed, and the state stays as it is.
    /// </summary>
    internal static bool TryNext(ConnectionState state, ConnectionEvent happened, out ConnectionState next)
    {
        ConnectionState? found = (state, happened) switch
        {
            (Idle, OpenAsked) => Opening,
            (Idle, PeerAdmitted) => Open,
            (Idle, CloseAsked) => Ended,
            (Idle, CutOff) => Ended,

            (Opening, PeerAnswered) => Open,
            (Opening, PeerRefused) => Ended,
            (Opening, CloseAsked) => Ended,
            (Opening, RuleBroken) => Ended,
            (Opening, SilenceElapsed) => Ended,
            (Opening, CutOff) => Ended,

            (Open, CloseAsked) => Flushing,
            (Open, RuleBroken) => Closing,
            (Open, QualityFailed) => Closing,
            (Open, PeerClosed) => Draining,
            (Open, SilenceElapsed) => Ended,
            (Open, CutOff) => Ended,

            (Flushing, Flushed) => Closing,
            (Flushing, RuleBroken) => Closing,
            (Flushing, QualityFailed) => Closing,
            (Flushing, PeerClosed) => Draining,
            (Flushing, SilenceElapsed) => Ended,
            (Flushing, CutOff) => Ended,

            (Closing, PeerClosed) => Draining,
            (Closing, GoodbyesSent) => Draining,
            (Closing, CutOff) => Ended,

            (Draining, DrainElapsed) => Ended,
            (Draining, CutOff) => Ended,

            _ => null,
        };

        next = found ?? state;
        return found is not null;
    }
}

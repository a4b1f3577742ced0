using System;

namespace Gudp.Sequencing;

/// <summary>Why the server, or the member's own library before it, refused something (lock-time section 20).</summary>
public enum SequencingError
{
    /// <summary>Nothing was refused.</summary>
    None = 0,

    /// <summary>The tag asked for is before the last grant.</summary>
    PastTag = 1,

    /// <summary>A request is outstanding; there is one at a time.</summary>
    AlreadyRequesting = 2,

    /// <summary>The publication would arrive before the member's promise or within its look-ahead.</summary>
    LookaheadViolation = 3,

    /// <summary>The member's declaration does not say that it sends.</summary>
    NotASender = 4,

    /// <summary>The channel is not among the member's interests.</summary>
    UnknownChannel = 5,

    /// <summary>The name is not in the roster, or the channel was not declared for this use.</summary>
    NotDeclared = 6,

    /// <summary>Version, run, configuration or declaration differ between member and server.</summary>
    ConfigMismatch = 7,

    /// <summary>A member of that name is here already.</summary>
    NameTaken = 8,

    /// <summary>The member is not part of the run, or the run has not started.</summary>
    NotJoined = 9,

    /// <summary>More rounds at one time than the run allows: an endless exchange without progress of time.</summary>
    RoundLimit = 10,

    /// <summary>A tag beyond the largest that can be named.</summary>
    Overflow = 11,

    /// <summary>The history asked for is no longer kept.</summary>
    Trimmed = 12,

    /// <summary>A step or number that does not follow the last one.</summary>
    WrongSequence = 13,

    /// <summary>A frame of an earlier server or session.</summary>
    StaleEpoch = 14,

    /// <summary>Member and server do not agree on what was delivered.</summary>
    DigestMismatch = 15,

    /// <summary>A replayed member did something else than the first time.</summary>
    Diverged = 16,

    /// <summary>A receiver has more undelivered messages than the run allows.</summary>
    InboxLimit = 17,

    /// <summary>The run is over, or was aborted.</summary>
    Stopped = 18,

    /// <summary>A payload or a step above the limit.</summary>
    TooLarge = 19,

    /// <summary>Bytes that are not a frame of this protocol.</summary>
    BadFrame = 20,

    /// <summary>The run does not take calls of operators from there; see <see cref="SequencingConfig.Operators"/>.</summary>
    NotAllowed = 21,

    /// <summary>The connection to the server is gone. Local only, never on the wire.</summary>
    ConnectionLost = 256,
}

/// <summary>A call into sequencing was refused; <see cref="Error"/> says why in a form to branch on.</summary>
public sealed class SequencingException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="error">Why.</param>
    /// <param name="detail">What was given, what is allowed, what to do.</param>
    public SequencingException(SequencingError error, string detail)
        : base($"{error}: {detail}")
    {
        Error = error;
    }

    /// <summary>Why the call was refused.</summary>
    public SequencingError Error { get; }
}

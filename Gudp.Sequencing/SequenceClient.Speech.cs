using System;
using System.Collections.Generic;

namespace Gudp.Sequencing;

/// <content>
/// What a member says rarely: roles, interests, a stop, a checksum; and the look into its inbox. What is said leaves with
/// the next request to advance or the resignation, as one commit.
/// </content>
public sealed partial class SequenceClient
{
    /// <summary>Takes up or gives up sending and receiving, from after the next commit on (lock-time 5.3).</summary>
    /// <param name="sends">
    /// Given up, the member holds nobody any more. Taken up, it may publish from the next grant on, at tags that none of
    /// those it reaches has passed: see <see cref="EarliestPublication"/> then. That depends on how far they were, so the
    /// run is marked as influenced from outside.
    /// </param>
    /// <param name="receives">
    /// Given up, nothing is delivered and nothing holds the member. Taken up, its next grant waits until all that arrives
    /// up to it is there; what arrived while it did not receive never comes.
    /// </param>
    /// <exception cref="SequencingException">The member is not running.</exception>
    public void SetRoles(bool sends, bool receives)
        => Require(_engine.SetRoles(sends, receives), $"setting roles (sends {sends}, receives {receives})");

    /// <summary>Switches a declared subscription off or on, from after the next commit on (lock-time 5.3).</summary>
    /// <param name="channel">A channel this member declared to subscribe to; off, its messages neither wake nor come.</param>
    /// <param name="on">On at the start. What arrives after the last grant comes although it was sent while it was off.</param>
    /// <exception cref="SequencingException">UnknownChannel, NotDeclared, or the member is not running.</exception>
    public void SetInterest(string channel, bool on)
        => Require(_engine.SetInterest(channel, on), $"switching '{channel}' {(on ? "on" : "off")}");

    /// <summary>
    /// Ends the run for everybody at a tag: the grant there is final (lock-time section 12). Leaves with the next commit.
    /// </summary>
    /// <param name="tag"><see cref="EarliestPublication"/> or later. The smallest stop of all that are asked for counts.</param>
    /// <exception cref="SequencingException">
    /// NotDeclared (<see cref="MemberDeclaration.MayStop"/>), NotASender, LookaheadViolation, or the member is not running.
    /// </exception>
    public void StopAt(Tag tag)
        => Require(_engine.StopAt(tag), $"stopping the run at {tag}", nameof(MemberDeclaration.MayStop));

    /// <summary>
    /// Publishes the member's state at its present sequence point, for members that join late and ask for
    /// <see cref="HistoryStart.Snapshot"/> (lock-time section 10). The server stores it within
    /// <see cref="SequencingConfig.SnapshotBytes"/>, and nobody else gets it. Leaves with the next commit; the last of one
    /// commit counts.
    /// </summary>
    /// <param name="name">What it is called, at most 255 bytes of UTF-8.</param>
    /// <param name="bytes">Copied; at most <see cref="SequencingConfig.MaxPayloadBytes"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The name is too long.</exception>
    /// <exception cref="SequencingException">TooLarge, Stopped, or the member is not running.</exception>
    public void Snapshot(string name, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            System.Text.Encoding.UTF8.GetByteCount(name), Config.SequencingRules.MaxNameBytes, nameof(name));
        Require(_engine.Snapshot(name, bytes), $"publishing the snapshot '{name}'");
    }

    /// <summary>
    /// Adds a checksum of the member's own state to the next commit: records of two runs are compared by it, so that a
    /// difference in the member's computation is found at the grant where it began (lock-time section 18).
    /// </summary>
    /// <param name="checksum">Any function of the state; the last one before the commit counts.</param>
    /// <exception cref="SequencingException">The member is not running.</exception>
    public void Checksum(ulong checksum) => Require(_engine.Checksum(checksum), "giving a checksum");

    /// <summary>
    /// Looks at what waits for this member now, after the last grant: in the order of delivery, 64 KiB and one message at
    /// most. It has no effect, and its answer depends on the moment: only for <see cref="MemberDeclaration.MayPeek"/>. After
    /// <see cref="Resume"/> the last grant is the server's, also one that this process has yet to ask for again.
    /// </summary>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <exception cref="SequencingException">NotDeclared, NotJoined, or the connection ended.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public IReadOnlyList<SequencedMessage> Peek(TimeSpan timeout)
    {
        Require(_engine.Peek(), "peeking", nameof(MemberDeclaration.MayPeek));
        long start = _options.Clock.GetTimestamp();

        while (_engine.Peeked is null)
        {
            WatchResumption();
            ThrowIfFailed();

            if (!TrySendCommits(timeout, start) || !TryTakeIn(timeout, start))
            {
                break;
            }
        }

        return _engine.Peeked
            ?? throw new TimeoutException($"Member '{Name}' at {Now} had no answer to a peek within {timeout}.");
    }
}

// A member that lets the world in (lock-time 13). Whatever comes is stamped at once with the tag of its moment; a step says
// what was stamped since the last one, and moves the gate to the tag of now. Its request is its promise: until the next
// step the others may run up to the tag of this one.
//
// Always true:
//   - inputs leave in the order in which they were stamped, and their tags do not fall;
//   - a step is in the record, whole, before it is said;
//   - what waits for a step fits one commit.

using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Sequencing.Live;

namespace Gudp.Sequencing;

/// <summary>
/// The only door through which something from outside may change a run: inputs of a human, a device or another program get
/// a tag when they come, and are recorded with it, so that <see cref="ReplayAsync"/> gives the same run again.
/// </summary>
/// <remarks>
/// <see cref="TryPost(string, ReadOnlySpan{byte})"/> from any thread. The steps, by <see cref="RunAsync"/> or one at a time,
/// belong to the thread that uses the client; nobody else may use it meanwhile.
/// </remarks>
public sealed class LiveGate
{
    private readonly Lock _gate = new();
    private readonly SequenceClient _member;
    private readonly LiveGateOptions _options;
    private readonly LiveRecordWriter? _record;
    private readonly HashSet<string> _channels;
    private readonly long _startMoment;
    private readonly Tag _startTag;
    private List<LiveInput> _waiting = [];
    private List<LiveInput> _leaving = [];
    private long _waitingBytes;
    private bool _isClosed;

    /// <summary>Makes a gate of a member; from now on the tag of now counts from the member's present tag.</summary>
    /// <param name="member">After its first grant. It sends and does not receive.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentException">
    /// The member receives: it would have to wait for messages, while the others wait for it. What controls the gate goes
    /// through a second member. Or it does not send.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public LiveGate(SequenceClient member, LiveGateOptions? options = null)
    {
        CheckMember(member);
        options ??= new LiveGateOptions();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.TickLength, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Pace, nameof(options));
        ArgumentOutOfRangeException.ThrowIfEqual(double.IsFinite(options.Pace), false, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxWaitingBytes, LiveInput.HeadBytes, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            options.MaxWaitingBytes, SequencingConfig.LargestPayloadBytes, nameof(options));

        _member = member;
        _options = options;
        _channels = [.. member.Options.Publish];
        _startMoment = options.Clock.GetTimestamp();
        _startTag = member.Now;
        _record = options.Record is null ? null : new LiveRecordWriter(options.Record, member.Name);
    }

    /// <summary>Inputs taken so far. Any thread.</summary>
    public long Posted { get; private set; }

    /// <summary>Inputs refused because too much waits for the next step, or after the end. Any thread.</summary>
    public long Refused { get; private set; }

    /// <summary>How far the others may run once the gate has stepped now. Any thread.</summary>
    public Tag TagOfNow
    {
        get
        {
            TimeSpan passed = _options.Clock.GetElapsedTime(_startMoment);
            double ticks = passed.Ticks / (double)_options.TickLength.Ticks * _options.Pace;
            return new Tag(_startTag.Time + (long)ticks, 0);
        }
    }

    /// <summary>
    /// Takes an input: it arrives at the tag of now and the guard, or as soon after as the gate may still publish. Any
    /// thread.
    /// </summary>
    /// <param name="channel">One the member declared to publish on.</param>
    /// <param name="payload">Copied; no longer than the run's <see cref="SequencingConfig.MaxPayloadBytes"/>.</param>
    /// <returns>False if too much waits already, or the gate has ended: it is not taken.</returns>
    /// <exception cref="ArgumentException">The member did not declare to publish there.</exception>
    public bool TryPost(string channel, ReadOnlySpan<byte> payload)
    {
        if (!_channels.Contains(channel))
        {
            throw new ArgumentException($"Member '{_member.Name}' does not publish on \"{channel}\".", nameof(channel));
        }

        byte[] copy = payload.ToArray();

        lock (_gate)
        {
            long bytes = _waitingBytes + LiveInput.HeadBytes + payload.Length;

            if (_isClosed || bytes > _options.MaxWaitingBytes)
            {
                Refused++;
                return false;
            }

            // The clock is read under the lock, so that the order of inputs is that of their tags.
            _waiting.Add(new LiveInput(channel, TagOfNow + _options.Guard, copy));
            _waitingBytes = bytes;
            Posted++;
            return true;
        }
    }

    /// <summary>
    /// Says what came since the last step, and moves on to the tag of now. Until the next step the others get no further
    /// than that, so steps are to be taken regularly, inputs or not.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; <see cref="SequenceClient.WaitForGrantAsync"/> goes on with it.</param>
    /// <returns>False after the last step: the run is over, and all that is left is to resign.</returns>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">The last step still waits for its grant, or the member has left.</exception>
    /// <exception cref="IOException">
    /// The record cannot be written. The step was not said, and no other one can be: the gate takes nothing more.
    /// </exception>
    public async ValueTask<bool> StepAsync(CancellationToken cancellationToken = default)
    {
        // Before anything is taken or recorded that could then not be said.
        if (!_member.IsRunning)
        {
            throw new InvalidOperationException(
                $"Member '{_member.Name}' at {_member.Now} cannot take a step of its gate: it is not its turn.");
        }

        if (_member.IsFinal)
        {
            Close();
            return false;
        }

        Tag target = Tag.Later(_member.Now, TakeWaiting());

        // Nothing came and no time has passed: a step that would say nothing.
        if (_leaving.Count == 0 && target == _member.Now)
        {
            return true;
        }

        Stamp();
        Record(target);
        Say(_member, _leaving);
        Grant grant = await _member.AdvanceToAsync(target, cancellationToken).ConfigureAwait(false);

        if (grant.IsFinal)
        {
            Close();
        }

        return !grant.IsFinal;
    }

    /// <summary>
    /// Steps again and again until the run is over or the gate is cancelled; then says what was taken until then, in a last
    /// step, and the member resigns.
    /// </summary>
    /// <param name="interval">Wall time between steps, on the gate's clock; more than 0. A tick is a good choice.</param>
    /// <param name="cancellationToken">Ends the gate as it should end: it is no exception.</param>
    /// <inheritdoc cref="StepAsync" path="/exception"/>
    public async Task RunAsync(TimeSpan interval, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);

        bool goesOn = true;

        try
        {
            while (goesOn && !cancellationToken.IsCancellationRequested)
            {
                goesOn = await StepAsync(CancellationToken.None).ConfigureAwait(false);

                if (goesOn)
                {
                    await Task.Delay(interval, _options.Clock, cancellationToken)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        finally
        {
            // Whoever posts is told from now on that nobody takes it.
            Close();
        }

        // An input that was taken is said.
        if (goesOn && _waiting.Count > 0)
        {
            await StepAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _member.ResignAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>
    /// Does in another run what a gate did, step by step, and resigns. If the other members are functions of their
    /// grants, the run digest is that of the recorded run.
    /// </summary>
    /// <param name="member">After its first grant; of the same name and declaration as the one that was recorded.</param>
    /// <param name="record">As <see cref="LiveGateOptions.Record"/> has it; a torn end is no error.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Steps done.</returns>
    /// <exception cref="InvalidDataException">The bytes are not such a record.</exception>
    /// <exception cref="ArgumentException">The record is of another member, or this one is none of a gate.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    public static async Task<long> ReplayAsync(
        SequenceClient member, Stream record, CancellationToken cancellationToken = default)
    {
        CheckMember(member);
        ArgumentNullException.ThrowIfNull(record);
        LiveRecordReader reader = new(record);

        if (reader.Member != member.Name)
        {
            throw new ArgumentException($"The record is of '{reader.Member}' and not of '{member.Name}'.", nameof(record));
        }

        List<LiveInput> inputs = [];
        long steps = 0;

        while (reader.TryRead(out Tag target, inputs))
        {
            Say(member, inputs);
            steps++;

            if ((await member.AdvanceToAsync(target, cancellationToken).ConfigureAwait(false)).IsFinal)
            {
                break;
            }
        }

        await member.ResignAsync(cancellationToken).ConfigureAwait(false);
        return steps;
    }

    private static void CheckMember(SequenceClient member)
    {
        ArgumentNullException.ThrowIfNull(member);

        if (member.Options.Receives || !member.Options.Sends)
        {
            throw new ArgumentException(
                $"Member '{member.Name}' sends {member.Options.Sends}, receives {member.Options.Receives}; the member of a "
                + "gate sends and does not receive (lock-time 15).", nameof(member));
        }
    }

    private static void Say(SequenceClient member, List<LiveInput> inputs)
    {
        foreach (LiveInput input in inputs)
        {
            member.Publish(input.Channel, input.Payload.Span, input.Arrival);
        }
    }

    /// <summary>What waits becomes what leaves.</summary>
    /// <returns>The tag of now: no later input can have a moment before it.</returns>
    private Tag TakeWaiting()
    {
        _leaving.Clear();

        lock (_gate)
        {
            (_waiting, _leaving) = (_leaving, _waiting);
            _waitingBytes = 0;
            return TagOfNow;
        }
    }

    private void Stamp()
    {
        Tag earliest = _member.EarliestPublication;

        for (int i = 0; i < _leaving.Count; i++)
        {
            _leaving[i] = _leaving[i] with { Arrival = Tag.Later(_leaving[i].Arrival, earliest) };
        }
    }

    private void Record(Tag target)
    {
        try
        {
            _record?.Write(target, _leaving);
        }
        catch
        {
            Close();
            throw;
        }
    }

    private void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }
}

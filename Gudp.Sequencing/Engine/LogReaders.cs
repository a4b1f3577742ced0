// Who reads the sealed log over the wire (lock-time 7.3, 10; clauses ). A reader asks for a stretch, and
// is answered as soon as there is something of it: what there is of it, that it is gone, or that the run is over. It is
// sent nothing it did not ask for, so one that does not read costs nothing but its place in the log.
//
// Always true:
//   - a link has one question at a time; a new one takes the place of the old;
//   - an answer is at most AnswerBytes and one message long;
//   - every question is answered: below the oldest kept it is Trimmed, never silence.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class LogReaders(RunState run, Outbox outbox)
{
    /// <summary>Of one answer: enough for a fast path, little enough that a question cannot order much memory.</summary>
    internal const int AnswerBytes = 1 << 20;

    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(1);

    private readonly List<Question> _questions = [];
    private long _trimmedAt = 1;

    /// <summary>When those who wait for more of the log are told again how far it is.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>A question of a link that may read. Follow with <see cref="Answer"/>.</summary>
    internal void Handle(long link, Member? from, in Frame frame)
    {
        ulong session = from?.Session ?? 0;

        if (!FetchFrame.TryRead(frame.Body, out FetchFrame fetch))
        {
            outbox.Refuse(link, SequencingError.BadFrame, "The fetch is malformed.", (0, session));
            return;
        }

        if (fetch.Domain != 0)
        {
            outbox.Refuse(
                link, SequencingError.NotDeclared, $"Domain {fetch.Domain} was given; this server has domain 0.",
                (0, session));
            return;
        }

        Forget(link);
        _questions.Add(new Question(link, session, fetch));
    }

    internal void Forget(long link) => _questions.RemoveAll(question => question.Link == link);

    /// <summary>Those who wait are told again how far the log is.</summary>
    internal void HandleTimeout(Instant now)
    {
        if (now < NextDeadline)
        {
            return;
        }

        NextDeadline = Instant.Never;

        for (int i = 0; i < _questions.Count; i++)
        {
            _questions[i] = _questions[i] with { IsTold = false };
        }
    }

    /// <summary>
    /// Answers what can be answered, and then lets go of what need not be kept: also of a channel without history every
    /// message can be read here once.
    /// </summary>
    internal void Answer(Instant now)
    {
        for (int i = _questions.Count - 1; i >= 0; i--)
        {
            if (TryAnswer(_questions[i], now))
            {
                _questions.RemoveAt(i);
            }
            else if (!_questions[i].IsTold)
            {
                WriteHeartbeat(_questions[i], now);
                outbox.Send(_questions[i].Link);
                _questions[i] = _questions[i] with { IsTold = true };
                NextDeadline = Instant.Earlier(NextDeadline, now + HeartbeatEvery);
            }
        }

        if (run.Log.Next != _trimmedAt)
        {
            run.Log.Trim();
            _trimmedAt = run.Log.Next;
        }
    }

    /// <returns>False if there is nothing to say yet.</returns>
    private bool TryAnswer(in Question question, Instant now)
    {
        long first = question.Fetch.First == 0 ? run.Log.First : question.Fetch.First;

        if (question.Fetch.Count == 0)
        {
            WriteHeartbeat(question, now);
        }
        else if (first < run.Log.Complete)
        {
            run.Tally[RunCount.LogQuestionsTrimmed]++;
            new TrimmedFrame(run.Log.Complete).Write(outbox.Writer, Outbox.Epoch, question.Session);
        }
        else if (first < run.Log.Next)
        {
            WriteNames(question);
            WriteMessages(question, first);
            WriteHeartbeat(question, now);
        }
        else if (run.Phase == RunPhase.Ended)
        {
            new EndFrame((ulong)(run.Log.Next - 1), run.RunDigest)
                .Write(outbox.Writer, Outbox.Epoch, question.Session);
        }
        else if (run.Phase == RunPhase.Aborted)
        {
            outbox.Refuse(
                question.Link, SequencingError.Stopped, "The run was aborted; nothing more becomes final.",
                (0, question.Session));
            return true;
        }
        else
        {
            return false;
        }

        outbox.Send(question.Link);
        return true;
    }

    private void WriteMessages(in Question question, long first)
    {
        // The count is one of numbers, so that whoever fetches a hole gets the hole and not what lies behind it.
        long end = Math.Min(run.Log.Next, first + question.Fetch.Count);
        long bytes = 0;

        for (long next = first; next < end && bytes < AnswerBytes;)
        {
            LogRecord.Begin(outbox.Writer, (Outbox.Epoch, question.Session), next);
            int start = outbox.Writer.Length;
            long before = next - 1;
            long stop = end;

            while (run.Log.TryReadNext(before + 1, out SealedMessage message) && message.Number < end)
            {
                if (outbox.Writer.Length >= RunLayout.DeliverBytes && before >= next)
                {
                    stop = before + 1;
                    break;
                }

                new LogRecord(message.Number, message.Key, message.Letter.Channel, message.Letter.Payload)
                    .Write(outbox.Writer, before);
                before = message.Number;
                run.Tally[RunCount.LogMessagesSent]++;
            }

            bytes += outbox.Writer.Length - start;
            next = stop;
            LogRecord.End(outbox.Writer, next);
            outbox.Send(question.Link);
        }
    }

    // So that numbers of members and channels in the records mean something.
    private void WriteNames(in Question question)
    {
        for (int ordinal = question.Fetch.Members; ordinal < run.Members.Count; ordinal++)
        {
            new PeerEventFrame(run.Members[ordinal].Name, PeerEventKind.Joined, run.Members[ordinal].Layout.Join)
                .Write(outbox.Writer, Outbox.Epoch, question.Session);
            SendIfFull(question.Link);
        }

        for (int channel = question.Fetch.Channels; channel < run.Channels.Count; channel++)
        {
            new ChannelNameFrame(channel, run.Channels[channel].Name)
                .Write(outbox.Writer, Outbox.Epoch, question.Session);
            SendIfFull(question.Link);
        }
    }

    private void SendIfFull(long link)
    {
        if (outbox.Writer.Length >= RunLayout.DeliverBytes)
        {
            outbox.Send(link);
        }
    }

    private void WriteHeartbeat(in Question question, Instant now)
        => new HeartbeatFrame(
            (ulong)run.Log.Next, run.Log.Floor, (ulong)Math.Max(0, (now - default(Instant)).TotalMilliseconds))
            .Write(outbox.Writer, Outbox.Epoch, question.Session);

    private readonly record struct Question(long Link, ulong Session, FetchFrame Fetch)
    {
        /// <summary>It knows how far the log is, and waits.</summary>
        internal bool IsTold { get; init; }
    }
}

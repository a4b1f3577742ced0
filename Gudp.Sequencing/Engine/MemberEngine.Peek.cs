using System;
using System.Collections.Generic;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <content>
/// The look into the inbox (clauses ): no step and no effect, so only the last question is kept, until it is
/// answered, and asked again on another link.
/// </content>
internal sealed partial class MemberEngine
{
    private readonly FrameWriter _question = new();
    private ulong _peek;
    private bool _isQuestionSent = true;

    /// <summary>The answer to the last peek; null until it is there.</summary>
    internal IReadOnlyList<SequencedMessage>? Peeked { get; private set; }

    /// <summary>Asks what is in the inbox now; <see cref="Peeked"/> gets the answer. No effect on anything.</summary>
    internal SequencingError Peek()
    {
        if (Phase is not (MemberPhase.Running or MemberPhase.Waiting))
        {
            return Phase == MemberPhase.Failed ? Error : SequencingError.NotJoined;
        }

        if (!_declaration.MayPeek)
        {
            return SequencingError.NotDeclared;
        }

        ForgetPeek();
        new PeekFrame(++_peek).Write(_question, _epoch, _session);
        _isQuestionSent = false;
        return SequencingError.None;
    }

    private void ForgetPeek()
    {
        Peeked = null;
        _question.Clear();
        _isQuestionSent = true;
    }

    private void AskAgain() => _isQuestionSent = _question.Length == 0;

    private bool TryPeeked(ReadOnlySpan<byte> body)
    {
        byte[] owned = body.ToArray();

        // Clause: records are relative to the last grant that the server gave, which may wait here for its request.
        Tag granted = _holdsBatch ? _heldTag : Now;
        FrameReader reader = new(owned);
        PeekedHead head = PeekedHead.Read(ref reader);
        List<SequencedMessage> seen = [];

        while (!reader.IsAtEnd)
        {
            DeliveryRecord record = DeliveryRecord.Read(ref reader, granted);

            Tag last = seen.Count == 0 ? new Tag(long.MinValue, 0) : seen[^1].Arrival;

            if (reader.IsMalformed || record.Key.Arrival <= granted || !IsInPlace(in record, last))
            {
                return false;
            }

            seen.Add(MessageOf(in record, owned.AsMemory(^(reader.Remaining + record.Payload.Length)..)));
        }

        // An answer may come again after a link was taken up again; only the last question's counts.
        if (head.Request == _peek && _question.Length > 0)
        {
            ForgetPeek();
            Peeked = seen;
        }

        return !reader.IsMalformed;
    }
}

using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Records;

/// <summary>What differs between two batches.</summary>
internal readonly record struct BatchDifference(GrantDifferenceKind Kind)
{
    internal int? Record { get; init; }
    internal long? PayloadOffset { get; init; }
    internal RecordedMessage? Left { get; init; }
    internal RecordedMessage? Right { get; init; }
}

/// <summary>The first difference of two batches (clause ).</summary>
internal static class BatchComparison
{
    internal static BatchDifference? Find(RecordedBatch left, RecordedBatch right)
    {
        // A later grant has later messages as well, which only follow from its tag.
        Tag until = Tag.Earlier(left.Grant.Tag, right.Grant.Tag);
        BatchDifference? message = FindMessage(Until(left, until), Until(right, until));

        if (message is not null)
        {
            return message;
        }

        if (left.Grant.Tag != right.Grant.Tag)
        {
            return new BatchDifference(GrantDifferenceKind.Tag);
        }

        return left.Grant.IsFinal != right.Grant.IsFinal ? new BatchDifference(GrantDifferenceKind.Final) : null;
    }

    private static List<RecordedMessage> Until(RecordedBatch batch, Tag until)
    {
        List<RecordedMessage> found = [];

        foreach (RecordedMessage message in batch.Messages)
        {
            if (message.Key.Arrival <= until)
            {
                found.Add(message);
            }
        }

        return found;
    }

    private static BatchDifference? FindMessage(List<RecordedMessage> left, List<RecordedMessage> right)
    {
        int shared = Math.Min(left.Count, right.Count);

        for (int i = 0; i < shared; i++)
        {
            BatchDifference? found = left[i].Key == right[i].Key
                ? CompareContent(i, left[i], right[i])
                : Judge(i, left, right);

            if (found is not null)
            {
                return found;
            }
        }

        if (left.Count == right.Count)
        {
            return null;
        }

        return left.Count > shared
            ? new BatchDifference(GrantDifferenceKind.MissingMessage) { Record = shared, Left = left[shared] }
            : new BatchDifference(GrantDifferenceKind.ExtraMessage) { Record = shared, Right = right[shared] };
    }

    private static BatchDifference? CompareContent(int place, RecordedMessage left, RecordedMessage right)
    {
        if (left.Channel != right.Channel)
        {
            return Differs(GrantDifferenceKind.Channel, null);
        }

        if (left.Length != right.Length)
        {
            return Differs(GrantDifferenceKind.Length, null);
        }

        if (!left.IsWhole || !right.IsWhole)
        {
            return left.PayloadHash == right.PayloadHash ? null : Differs(GrantDifferenceKind.Payload, null);
        }

        int same = left.Payload.Span.CommonPrefixLength(right.Payload.Span);
        return same == left.Length ? null : Differs(GrantDifferenceKind.Payload, same);

        BatchDifference Differs(GrantDifferenceKind kind, long? offset)
            => new(kind) { Record = place, PayloadOffset = offset, Left = left, Right = right };
    }

    // The keys differ: is one of the two messages new, or do they stand in another order?
    private static BatchDifference Judge(int place, List<RecordedMessage> left, List<RecordedMessage> right)
    {
        bool leftIsInRight = Holds(right, place, left[place].Key);
        bool rightIsInLeft = Holds(left, place, right[place].Key);

        return (leftIsInRight, rightIsInLeft) switch
        {
            (true, false) => new BatchDifference(GrantDifferenceKind.ExtraMessage)
            {
                Record = place,
                Right = right[place],
            },
            (false, true) => new BatchDifference(GrantDifferenceKind.MissingMessage)
            {
                Record = place,
                Left = left[place],
            },
            _ => new BatchDifference(leftIsInRight ? GrantDifferenceKind.Order : GrantDifferenceKind.Key)
            {
                Record = place,
                Left = left[place],
                Right = right[place],
            },
        };
    }

    private static bool Holds(List<RecordedMessage> messages, int from, MessageKey key)
        => messages.FindIndex(from, message => message.Key == key) >= 0;
}

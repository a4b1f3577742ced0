using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Records;

/// <summary>Finds the first grant of a member in which two records differ (clause R-4).</summary>
internal sealed class RecordComparison(RunRecord left, RunRecord right)
{
    // Chains with different seeds differ everywhere and tell nothing.
    private readonly bool _comparesChains = left.Head.ConfigHash == right.Head.ConfigHash;

    internal MemberDifference? Find(MemberTrail a, MemberTrail b)
    {
        long from = Math.Max(a.First, b.First);
        long to = Math.Min(a.End, b.End);
        long first = _comparesChains ? Bisect(a, b, from, to) : Search(a, b, from, to);

        if (first < to)
        {
            return Describe(a, b, first);
        }

        //
        return a.End == b.End ? null : a.End > b.End ? OnlyIn(left, a, to, true) : OnlyIn(right, b, to, false);
    }

    /// <summary>A member that one record does not have.</summary>
    internal MemberDifference Missing(MemberTrail trail, bool isLeft)
    {
        RunRecord record = isLeft ? left : right;
        RecordedGrant? grant = trail.Has(trail.First) ? record.Read(trail.Ordinal, trail.First).Grant : null;
        return new MemberDifference(trail.Name, trail.Ordinal, trail.First, grant?.Tag ?? Tag.Zero)
        {
            Kind = GrantDifferenceKind.MissingMember,
            IsOnlyLeft = isLeft,
            Left = isLeft ? grant : null,
            Right = isLeft ? null : grant,
        };
    }

    /// <summary>The first value of a member that differs, among grants for which both records have one.</summary>
    internal ChecksumDifference? FindValue(
        MemberTrail trail, List<GrantValue> ofLeft, List<GrantValue> ofRight, MemberDifference? deliveries)
    {
        for (int i = 0, j = 0; i < ofLeft.Count && j < ofRight.Count;)
        {
            if (ofLeft[i].Grant == ofRight[j].Grant)
            {
                if (ofLeft[i].Value != ofRight[j].Value)
                {
                    long grant = ofLeft[i].Grant;
                    Tag tag = left.Read(trail.Ordinal, grant).Grant.Tag;

                    // What came with a commit was said before its grant, so of the batches below that one.
                    return new ChecksumDifference(trail.Name, grant, tag, ofLeft[i].Value, ofRight[j].Value)
                    {
                        AfterEqualDeliveries = deliveries is null || deliveries.Grant >= grant,
                    };
                }

                i++;
                j++;
            }
            else if (ofLeft[i].Grant < ofRight[j].Grant)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return null;
    }

    // Equal at k means equal up to k: the smallest k that differs is found in log2 of the grants.
    private static long Bisect(MemberTrail a, MemberTrail b, long from, long to)
    {
        long low = from;
        long high = to;

        while (low < high)
        {
            long middle = low + ((high - low) / 2);

            if (a.DigestOf(middle) == b.DigestOf(middle))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private long Search(MemberTrail a, MemberTrail b, long from, long to)
    {
        for (long grant = from; grant < to; grant++)
        {
            if (BatchComparison.Find(left.Read(a.Ordinal, grant), right.Read(b.Ordinal, grant)) is not null)
            {
                return grant;
            }
        }

        return to;
    }

    private MemberDifference Describe(MemberTrail a, MemberTrail b, long grant)
    {
        RecordedBatch ofLeft = left.Read(a.Ordinal, grant);
        RecordedBatch ofRight = right.Read(b.Ordinal, grant);
        BatchDifference found = BatchComparison.Find(ofLeft, ofRight)
            ?? new BatchDifference(GrantDifferenceKind.Digest);
        Tag tag = Tag.Earlier(ofLeft.Grant.Tag, ofRight.Grant.Tag);

        return new MemberDifference(a.Name, a.Ordinal, grant, tag)
        {
            Kind = found.Kind,
            Record = found.Record,
            PayloadOffset = found.PayloadOffset,
            Left = ofLeft.Grant,
            Right = ofRight.Grant,
            LeftMessage = found.Left,
            RightMessage = found.Right,
        };
    }

    private static MemberDifference OnlyIn(RunRecord record, MemberTrail trail, long grant, bool isLeft)
    {
        RecordedGrant only = record.Read(trail.Ordinal, Math.Max(grant, trail.First)).Grant;
        return new MemberDifference(trail.Name, trail.Ordinal, only.Index, only.Tag)
        {
            Kind = GrantDifferenceKind.MissingGrant,
            Left = isLeft ? only : null,
            Right = isLeft ? null : only,
        };
    }
}

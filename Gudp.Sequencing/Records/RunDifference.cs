using System;
using System.Collections.Generic;
using System.IO;
using Gudp.Sequencing.Records;

namespace Gudp.Sequencing;

/// <summary>
/// What differs between two records of a run: for each member the first grant and message, found by bisection over the
/// digests, and the earliest of all members (docs/protocol/record.md, R-4).
/// </summary>
public sealed class RunDifference
{
    private RunDifference(RunRecord left, RunRecord right, bool comparesDeliveries)
    {
        Left = left;
        Right = right;
        ComparesDeliveries = comparesDeliveries;
        (Members, States, Commits) = CompareMembers();
        Configuration = ConfigurationLines.Compare(left.Head.Configuration, right.Head.Configuration);
        Facts = CompareFacts(left.Facts, right.Facts);
        Summary = DifferenceSummary.Of(this);
    }

    /// <summary>
    /// Nothing that is compared differs: same config hash, same grants and messages, same commits and states. Lines of
    /// the configuration that members cannot see, and facts, may differ.
    /// </summary>
    public bool IsEqual => HasSameConfigHash && Members.Count == 0 && States.Count == 0 && Commits.Count == 0;

    /// <summary>Both runs had the configuration that members can see.</summary>
    public bool HasSameConfigHash => Left.Head.ConfigHash == Right.Head.ConfigHash;

    /// <summary>The earliest difference of the run; null if there is none. What is later may follow from it.</summary>
    public MemberDifference? First => Members.Count > 0 ? Members[0] : null;

    /// <summary>The first difference of each member that has one, ordered by tag, then by ordinal.</summary>
    public IReadOnlyList<MemberDifference> Members { get; }

    /// <summary>The first state checksum of each member that differs, ordered by tag.</summary>
    public IReadOnlyList<ChecksumDifference> States { get; }

    /// <summary>
    /// The first commit digest of each member that differs, ordered by tag: members that did something else. In runs
    /// with different tie seeds they are the ones that depend on the order of messages of one tag.
    /// </summary>
    public IReadOnlyList<ChecksumDifference> Commits { get; }

    /// <summary>Lines of the configurations that differ, ordered by key.</summary>
    public IReadOnlyList<ConfigurationDifference> Configuration { get; }

    /// <summary>What came from outside in one of the runs only, ordered by tag. No difference by itself.</summary>
    public IReadOnlyList<FactDifference> Facts { get; }

    /// <summary>The result for people, line by line.</summary>
    public IReadOnlyList<string> Summary { get; }

    internal RunRecord Left { get; }

    internal RunRecord Right { get; }

    internal bool ComparesDeliveries { get; }

    /// <summary>Compares two records. Both stay open, and the caller's.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other one.</param>
    /// <exception cref="RunRecordException">A file was changed since it was opened.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static RunDifference Between(RunRecord left, RunRecord right)
        => Between(left, right, comparesDeliveries: true);

    /// <summary>
    /// Compares what members of two runs with different tie seeds did, by commit digests and state checksums alone:
    /// what was delivered differs by construction.
    /// </summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other one.</param>
    /// <exception cref="RunRecordException">A file was changed since it was opened.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static RunDifference BetweenTieSeeds(RunRecord left, RunRecord right)
        => Between(left, right, comparesDeliveries: false);

    /// <summary>Writes the desync report, one JSON text. Both records must still be open.</summary>
    /// <param name="stream">Stays open.</param>
    /// <exception cref="IOException">It cannot be written, or a record cannot be read.</exception>
    public void WriteReport(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        DesyncReport.Write(this, stream);
    }

    private static RunDifference Between(RunRecord left, RunRecord right, bool comparesDeliveries)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new RunDifference(left, right, comparesDeliveries);
    }

    private (List<MemberDifference> Members, List<ChecksumDifference> States, List<ChecksumDifference> Commits)
        CompareMembers()
    {
        RecordComparison comparison = new(Left, Right);
        List<MemberDifference> members = [];
        List<ChecksumDifference> states = [];
        List<ChecksumDifference> commits = [];

        foreach (MemberTrail trail in Left.Trails)
        {
            MemberTrail? other = Right.FindTrail(trail.Name);

            if (!SpeaksFor(Left, trail) || (other is not null && !SpeaksFor(Right, other)))
            {
                continue;
            }

            MemberDifference? found = other is not null
                ? comparison.Find(trail, other)
                : Right.Head.RecordedBy is null ? comparison.Missing(trail, isLeft: true) : null;

            AddIf(members, found, ComparesDeliveries || other is null);

            if (other is not null)
            {
                AddIf(states, comparison.FindValue(trail, trail.States, other.States, found));
                AddIf(commits, comparison.FindValue(trail, trail.Commits, other.Commits, found));
            }
        }

        foreach (MemberTrail trail in Right.Trails)
        {
            if (Left.Head.RecordedBy is null && SpeaksFor(Right, trail) && Left.FindTrail(trail.Name) is null)
            {
                members.Add(comparison.Missing(trail, isLeft: false));
            }
        }

        members.Sort((a, b) => a.Tag != b.Tag ? a.Tag.CompareTo(b.Tag) : a.Ordinal.CompareTo(b.Ordinal));
        states.Sort((a, b) => a.Tag.CompareTo(b.Tag));
        commits.Sort((a, b) => a.Tag.CompareTo(b.Tag));
        return (members, states, commits);
    }

    // a member's record names the others, but tells only of itself.
    private static bool SpeaksFor(RunRecord record, MemberTrail trail)
        => record.Head.RecordedBy is null || record.Head.RecordedBy == trail.Ordinal;

    private static void AddIf(List<MemberDifference> all, MemberDifference? found, bool isCompared)
    {
        if (found is not null && isCompared)
        {
            all.Add(found);
        }
    }

    private static void AddIf(List<ChecksumDifference> all, ChecksumDifference? found)
    {
        if (found is { } difference)
        {
            all.Add(difference);
        }
    }

    private static List<FactDifference> CompareFacts(
        IReadOnlyList<RecordedFact> left, IReadOnlyList<RecordedFact> right)
    {
        Dictionary<RecordedFact, int> balance = [];

        foreach (RecordedFact fact in left)
        {
            RecordedFact timeless = fact with { WallMilliseconds = 0 };
            balance[timeless] = balance.GetValueOrDefault(timeless) + 1;
        }

        foreach (RecordedFact fact in right)
        {
            RecordedFact timeless = fact with { WallMilliseconds = 0 };
            balance[timeless] = balance.GetValueOrDefault(timeless) - 1;
        }

        List<FactDifference> found = [];

        foreach ((RecordedFact fact, int more) in balance)
        {
            for (int i = Math.Abs(more); i > 0; i--)
            {
                found.Add(new FactDifference(fact, more > 0));
            }
        }

        found.Sort((a, b) => a.Fact.Tag != b.Fact.Tag
            ? a.Fact.Tag.CompareTo(b.Fact.Tag)
            : string.CompareOrdinal(a.Fact.Name, b.Fact.Name));
        return found;
    }
}

using System;

namespace Gudp.Sequencing;

/// <summary>
/// A file is no run record, or it is damaged in the middle. What is only missing at the end is no error: it is cut,
/// and <see cref="RunRecord.CutAt"/> says where.
/// </summary>
public sealed class RunRecordException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="position">Byte of the file, from 0.</param>
    /// <param name="detail">What was found, and what should stand there.</param>
    public RunRecordException(long position, string detail)
        : base(FormattableString.Invariant($"{detail} (at byte {position})"))
        => Position = position;

    /// <summary>Where the trouble begins: the byte of the file, from 0.</summary>
    public long Position { get; }
}

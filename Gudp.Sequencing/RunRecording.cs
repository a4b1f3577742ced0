using System;
using System.IO;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Records;

namespace Gudp.Sequencing;

/// <summary>
/// Where a server, or a member for itself, records the run (docs/protocol/record.md). The disk never holds a grant up:
/// what it has not taken yet waits in memory, and if that is too much, or the disk fails, the record ends and the run
/// goes on.
/// </summary>
public sealed class RunRecording
{
    /// <summary>The file; one that is there is replaced. Null: <see cref="Stream"/>.</summary>
    public string? Path { get; init; }

    /// <summary>Empty and writable, for a record that is no file; closed with the record. Null: <see cref="Path"/>.</summary>
    public Stream? Stream { get; init; }

    /// <summary>
    /// Payloads up to this many bytes are kept whole, longer ones as length and hash. Default all; 0 or more. Less makes
    /// a smaller file, whose differences are found but not shown.
    /// </summary>
    public int KeepPayloadBytes { get; init; } = int.MaxValue;

    /// <summary>
    /// Most bytes that wait in memory for a slow disk. Default 64 MiB; 1 MiB to 1 TiB. More than this and the record
    /// ends with an error.
    /// </summary>
    public long MaxBehindBytes { get; init; } = 64L << 20;

    internal static RunRecordHead HeadOf(RunLayout layout, SequencingConfig config, int keepPayloadBytes) => new()
    {
        ConfigHash = layout.ConfigHash,
        OtherHash = layout.SettingsHash,
        Configuration = ConfigurationText.Of(config),
        RunId = layout.RunId,
        Version = Version,
        KeepPayloadBytes = keepPayloadBytes,
    };

    internal static string Version { get; } = $"gudp {typeof(RunRecording).Assembly.GetName().Version}";

    /// <exception cref="ArgumentException">Neither a file nor a stream, or both, or a limit out of range.</exception>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    internal RunRecordWriter Open(RunRecordHead head)
    {
        if (Path is null == Stream is null)
        {
            throw new ArgumentException("A run recording has a Path or a Stream, one of them.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(KeepPayloadBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBehindBytes, 1L << 20);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBehindBytes, 1L << 40);

        Stream target = Stream
            ?? new FileStream(Path!, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        return new RunRecordWriter(new BehindStream(target, MaxBehindBytes), head);
    }
}

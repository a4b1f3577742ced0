namespace Gudp.Core;

/// <summary>
/// Whether what happens to packets is written to a file. <c>default</c> is the documented default: it is not.
/// </summary>
public readonly record struct TraceConfig
{
    internal static readonly ConfigTable<TraceConfig> Table = new ConfigTable<TraceConfig>()
        .OptionalText(nameof(Directory), c => c.Directory, (c, v) => c with { Directory = v }, MostDirectoryCharacters,
            "no system has longer names")
        .Bytes(nameof(BufferBytes), c => c.BufferBytes, (c, v) => c with { BufferBytes = v },
            (256 * 1024, 1024 * 1024 * 1024), "less loses events whenever the disk pauses")
        .Bytes(nameof(FileBytes), c => c.FileBytes, (c, v) => c with { FileBytes = v }, (1024 * 1024, 1L << 40),
            "a trace that nobody stops must end before the disk is full");

    private const int MostDirectoryCharacters = 250;
    private const int DefaultBufferBytes = 4 * 1024 * 1024;
    private const long DefaultFileBytes = 1024L * 1024 * 1024;

    private readonly string? _directory;
    private readonly int? _bufferBytes;
    private readonly long? _fileBytes;

    /// <summary>
    /// Where the daemon writes a file with its packet trace (docs/protocol/trace.md); it is made if it is not there.
    /// Default empty: nothing is traced. Up to 250 characters without ';'.
    /// </summary>
    /// <remarks>Off, it costs a comparison per packet. On, text of about 200 bytes for each event.</remarks>
    public string Directory
    {
        get => _directory ?? "";
        init => _directory = string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Memory for events that wait for the disk. Default 4 MB; 256 KB to 1 GB.</summary>
    /// <remarks>Used up, events are counted and marked as missing in the file; the loop never waits.</remarks>
    public int BufferBytes
    {
        get => _bufferBytes ?? DefaultBufferBytes;
        init => _bufferBytes = value == DefaultBufferBytes ? null : value;
    }

    /// <summary>Where the file ends, about. Default 1 GB; 1 MB to 1 TB.</summary>
    /// <remarks>What comes later is counted and marked as missing.</remarks>
    public long FileBytes
    {
        get => _fileBytes ?? DefaultFileBytes;
        init => _fileBytes = value == DefaultFileBytes ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}

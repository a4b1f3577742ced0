using System.Security.Cryptography;

namespace Gudp.Tools.Transfer;

// A file while it arrives.
//
// Always true:
//   - no file that was there before is changed;
//   - under its final name a file is complete, on the disk, and has the hash the sender named;
//   - nothing remains of a file that did not get that far.

/// <summary>A file being received: under a temporary name until it is complete. One thread at a time.</summary>
internal sealed class IncomingFile : IDisposable
{
    private const int MaxNames = 10_000;
    private const string TemporarySuffix = ".gudp-part";

    private readonly string _directory;
    private readonly string _name;
    private readonly string _temporaryPath;
    private readonly FileStream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _isStored;

    /// <param name="directory">Exists.</param>
    /// <param name="name">Without path, as <see cref="FileName.TryReduce"/> gives it.</param>
    /// <param name="length">The bytes the sender announced.</param>
    /// <exception cref="IOException">The directory does not take files now.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    internal IncomingFile(string directory, string name, long length)
    {
        _directory = directory;
        _name = name;
        Length = length;

        // CreateNew never follows what somebody else may have put there in the meantime.
        _temporaryPath = Path.Combine(directory, $".{name}.{Path.GetRandomFileName()}{TemporarySuffix}");
        _stream = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
    }

    internal long Length { get; }

    internal long Received { get; private set; }

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _hash.AppendData(bytes);
        Received += bytes.Length;
    }

    /// <summary>Ends the file: compares, makes it durable and gives it its name.</summary>
    /// <param name="expectedHash">The 32 bytes of the sender's SHA-256.</param>
    /// <param name="path">Where it is; empty if it is not what was sent, and then nothing of it remains.</param>
    internal bool TryStore(ReadOnlySpan<byte> expectedHash, out string path)
    {
        path = string.Empty;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(hash);

        if (Received != Length || !hash.SequenceEqual(expectedHash))
        {
            return false;
        }

        // To the disk before it gets its name: after a power failure there is the whole file or none.
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();

        path = MoveToFreeName();
        _isStored = true;
        return true;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();

        if (!_isStored)
        {
            File.Delete(_temporaryPath);
        }
    }

    private string MoveToFreeName()
    {
        for (int attempt = 0; attempt < MaxNames; attempt++)
        {
            string path = Path.Combine(_directory, FileName.Numbered(_name, attempt));

            if (Path.Exists(path))
            {
                continue;
            }

            try
            {
                File.Move(_temporaryPath, path, overwrite: false);
                return path;
            }
            catch (IOException) when (Path.Exists(path))
            {
                // Somebody took the name between the question and the move.
            }
        }

        throw new IOException($"No free name for '{_name}' was found.");
    }
}

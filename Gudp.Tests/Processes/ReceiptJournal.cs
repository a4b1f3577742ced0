using System.Buffers.Binary;

namespace Gudp.Tests.Processes;

/// <summary>Numbers of messages in a file, each in the system's hands before the next step: a kill loses none.</summary>
internal sealed class ReceiptJournal(string path) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);

    internal void Write(int number)
    {
        Span<byte> entry = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(entry, number);
        _file.Write(entry);
    }

    /// <summary>All numbers, in the order in which they were written.</summary>
    internal static int[] Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return [.. Enumerable.Range(0, bytes.Length / sizeof(int))
            .Select(i => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(i * sizeof(int))))];
    }

    public void Dispose() => _file.Dispose();
}

using Gudp.Core;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Takes all of a memory that is left, in both directions, and gives it back.</summary>
internal sealed class MemoryHoard
{
    private const int Largest = 16 * 1024 * 1024;
    private const int Smallest = 64;

    private readonly MessageMemory _memory;
    private readonly List<byte[]> _received = [];
    private readonly List<byte[]> _sent = [];

    internal MemoryHoard(MessageMemory memory)
    {
        _memory = memory;

        for (int bytes = Largest; bytes >= Smallest; bytes /= 2)
        {
            while (memory.TryRentToReceive(bytes, out byte[] block) == SendStatus.Accepted)
            {
                _received.Add(block);
            }

            while (memory.TryRentToSend(bytes, out byte[] block) == SendStatus.Accepted)
            {
                _sent.Add(block);
            }
        }

        Assert.That(_received.Count + _sent.Count, Is.Positive, "Nothing was left to take.");
    }

    internal void Return()
    {
        _received.ForEach(_memory.ReturnReceived);
        _sent.ForEach(_memory.ReturnSent);
    }
}

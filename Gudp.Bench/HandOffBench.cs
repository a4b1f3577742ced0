using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Gudp.Core.Buffers;
using Gudp.Core.Loop;

namespace Gudp.Bench;

/// <summary>
/// What it costs to hand something from one thread to another, the chosen way beside the rejected ones. Measured on one
/// thread without waiting: the price of the structure itself, not of a wake-up (13 to 30 us, LoopbackBench).
/// </summary>
[MemoryDiagnoser]
public class HandOffBench
{
    private const int PerOperation = 1_000;
    private const int Capacity = 1_024;
    private const int PacketBytes = 1_200;

    private readonly ReadBuffer _readBuffer = new(Capacity, 4 * 1024 * 1024);
    private readonly Channel<byte[]> _arrays = Channel.CreateBounded<byte[]>(Capacity);
    private readonly CommandQueue<Command> _commands = new(Capacity);
    private readonly ConcurrentQueue<Command> _unbounded = new();
    private readonly BufferPool _pool = new(new MemoryBudget(1L << 30));
    private readonly ArrayPool<byte> _arrayPool = ArrayPool<byte>.Shared;
    private readonly byte[] _packet = new byte[PacketBytes];
    private readonly byte[] _own = new byte[PacketBytes];

    /// <summary>Chosen: one copy in, one copy out, no allocation, bounded in bytes.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long PacketThroughReadBuffer()
    {
        long received = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            _readBuffer.TryAdd(_packet);
            _readBuffer.TryTake(_own, out int length);
            received += length;
        }

        return received;
    }

    /// <summary>Rejected: an array per packet, and blocking consumers would wait on a task.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long PacketThroughChannelOfArrays()
    {
        long received = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            _arrays.Writer.TryWrite(_packet.ToArray());
            _arrays.Reader.TryRead(out byte[]? packet);
            packet!.CopyTo(_own, 0);
            received += packet.Length;
        }

        return received;
    }

    /// <summary>Chosen: bounded, refuses.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long CommandThroughCommandQueue()
    {
        long sum = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            _commands.TryPost(new Command(i, this));
            _commands.TryRead(out Command command);
            sum += command.Number;
        }

        return sum;
    }

    /// <summary>Rejected: without a bound.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long CommandThroughConcurrentQueue()
    {
        long sum = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            _unbounded.Enqueue(new Command(i, this));
            _unbounded.TryDequeue(out Command command);
            sum += command.Number;
        }

        return sum;
    }

    /// <summary>Chosen: pinned, counted, within a budget, single owner checked.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long BlockFromBufferPool()
    {
        long bytes = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            _pool.TryRent(PacketBytes, out PooledBuffer? buffer);
            bytes += buffer!.Span.Length;
            buffer.Return();
        }

        return bytes;
    }

    /// <summary>Rejected: neither pinned nor bounded, and a double return goes unnoticed.</summary>
    [Benchmark(OperationsPerInvoke = PerOperation)]
    public long BlockFromArrayPool()
    {
        long bytes = 0;

        for (int i = 0; i < PerOperation; i++)
        {
            byte[] block = _arrayPool.Rent(PacketBytes);
            bytes += block.Length;
            _arrayPool.Return(block);
        }

        return bytes;
    }

    private readonly record struct Command(int Number, object Target);
}

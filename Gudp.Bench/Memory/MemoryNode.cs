using System.Diagnostics;
using System.Runtime;
using System.Text.Json;
using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Demo;

namespace Gudp.Bench.Memory;

// One end of the measurement. Its baseline is taken when one connection has come and been used, so that code, tables and
// the like are there already.

/// <summary>A process that holds connections and tells what they take.</summary>
internal sealed class MemoryNode : IDisposable
{
    /// <summary>The first argument of such a process.</summary>
    internal const string Name = "memory-node";

    private const int AtOnce = 100;
    private const int MessageBytes = 64;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly MemoryPlan _plan;
    private readonly Daemon _daemon;
    private readonly MessagingConfig _config;
    private readonly List<object> _held = [];
    private readonly MessageEndpoint? _listening;
    private readonly Endpoint? _listeningCore;

    private MemoryNode(MemoryPlan plan)
    {
        _plan = plan;
        GudpConfig core = Presets.Plain(default);
        _config = new MessagingConfig
        {
            Core = core with { MaxConnections = plan.Connections + AtOnce, MemoryBudgetBytes = 1L << 33 },
            MaxKnownPeers = plan.Connections + AtOnce,
        };
        _daemon = new Daemon(_config.Core);
        _daemon.Start();

        if (plan is { IsServer: true, Layer: MemoryPlan.Core })
        {
            _listeningCore = _daemon.Open(PeerAddress.LoopbackIPv4(0));
            _listeningCore.Listen();
        }
        else if (plan.IsServer)
        {
            _listening = new MessageEndpoint(_daemon, PeerAddress.LoopbackIPv4(0), _config);
            _listening.Listen();
        }
    }

    /// <summary>Runs a plan until the parent is gone.</summary>
    internal static int Run(string json)
    {
        using CancellationTokenSource alone = new();
        ChildProcess.CancelWithParent(alone);
        using MemoryNode node = new(MemoryPlan.Parse(json));
        Tell(new MemoryLine { Port = node.Port });
        node.Hold(1);
        Thread.Sleep(Settling / 3);
        (long Managed, long Resident) before = Take();
        node.Hold(node._plan.Connections);
        Thread.Sleep(Settling);
        Tell(new MemoryLine { Sample = node.Measure(before) });
        alone.Token.WaitHandle.WaitOne();
        return 0;
    }

    public void Dispose()
    {
        _daemon.Shutdown(TimeSpan.Zero);
        _daemon.Dispose();
    }

    private int Port => _listening?.LocalAddress.Port ?? _listeningCore?.LocalAddress.Port ?? 1;

    private static (long Managed, long Resident) Take()
    {
        for (int i = 0; i < 3; i++)
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using Process self = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(forceFullCollection: true), self.WorkingSet64);
    }

    private static void Tell(MemoryLine line)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(line));
        Console.Out.Flush();
    }

    // As many connections as that, from now on.
    private void Hold(int count)
    {
        while (_held.Count < count)
        {
            if (_plan.IsServer)
            {
                Accept();
            }
            else
            {
                Open(Math.Min(AtOnce, count - _held.Count));
            }
        }
    }

    private void Accept()
    {
        if (_listeningCore?.Accept(Step) is { } connection)
        {
            _held.Add(connection);
        }
        else if (_listening?.Accept(Step) is { } peer)
        {
            _held.Add(peer);
        }

        Answer();
    }

    private void Answer()
    {
        while (_listening is not null && _listening.TryReceive(out Peer? from, out ReceivedMessage message))
        {
            from!.TrySend(message.Span);
            message.Dispose();
        }
    }

    private void Open(int count)
    {
        PeerAddress server = PeerAddress.LoopbackIPv4(_plan.Port);
        int first = _held.Count;

        for (int i = 0; i < count; i++)
        {
            if (_plan.Layer == MemoryPlan.Core)
            {
                _held.Add(_daemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server));
            }
            else
            {
                _held.Add(new MessageEndpoint(_daemon, PeerAddress.LoopbackIPv4(0), _config).Connect(server));
            }
        }

        foreach (object held in _held.Skip(first))
        {
            bool isOpen = held is Peer peer
                ? peer.WaitUntilOpen(Patience) && HasTalked(peer)
                : ((Connection)held).WaitUntilOpen(Patience);

            if (!isOpen)
            {
                throw new InvalidOperationException($"Connection {_held.Count} of {_plan.Connections} does not open.");
            }
        }
    }

    private bool HasTalked(Peer peer)
    {
        if (_plan.Layer != MemoryPlan.Used)
        {
            return true;
        }

        Span<byte> question = stackalloc byte[MessageBytes];
        peer.TrySend(question);
        bool isAnswered = peer.Receive(Patience, out ReceivedMessage answer) == ReceiveStatus.Received;
        answer.Dispose();
        return isAnswered;
    }

    private MemorySample Measure((long Managed, long Resident) before)
    {
        double count = _plan.Connections - 1;
        TimeSpan busyBefore = Busy();
        Thread.Sleep(Watched);
        double idle = (Busy() - busyBefore).TotalMicroseconds / count / Watched.TotalSeconds;
        (long managed, long resident) = Take();
        HeapWalk walk = new();
        walk.Add(_daemon);
        walk.Add(_held);
        return new MemorySample
        {
            ManagedBytes = (managed - before.Managed) / count,
            ResidentBytes = (resident - before.Resident) / count,
            IdleMicroseconds = idle,
            ReachedBytes = walk.Bytes / count,
            Heap =
            [
                .. walk.Sums
                    .Select(sum => new HeapRow(NameOf(sum.Key), sum.Value.Objects / count, sum.Value.Bytes / count))
                    .Where(row => row.Bytes >= 1)
                    .OrderByDescending(row => row.Bytes),
            ],
        };
    }

    private static TimeSpan Busy()
    {
        using Process self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private static string NameOf(Type type)
    {
        string name = type.IsGenericType && !type.IsArray
            ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>"
            : type.IsArray ? NameOf(type.GetElementType()!) + "[]" : type.Name;
        return type.IsNested && !type.IsArray ? $"{type.DeclaringType!.Name.Split('`')[0]}.{name}" : name;
    }
}

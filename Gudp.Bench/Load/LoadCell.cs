using Gudp.Messaging;

namespace Gudp.Bench.Load;

/// <summary>Who sends to whom (M39).</summary>
internal enum LoadWork
{
    /// <summary>Each of the peers asks the first node, and asks again when the answer is there.</summary>
    RequestResponse,

    /// <summary>One node sends to another.</summary>
    OneWay,

    /// <summary>Two nodes send to each other.</summary>
    TwoWay,

    /// <summary>Many links lead to one node, which only receives.</summary>
    NTo1,

    /// <summary>Everybody sends to everybody else.</summary>
    NToN,
}

/// <summary>How a node spends the time in which it has nothing to do.</summary>
internal enum LoadWaiting
{
    /// <summary>It looks again at once: the latency is the least, a processor is busy.</summary>
    Poll,

    /// <summary>It sleeps in the system until something comes.</summary>
    Block,
}

/// <summary>One thing that is measured.</summary>
/// <param name="System">Of <see cref="LoadSystems"/>.</param>
/// <param name="Work">Who sends to whom.</param>
/// <param name="Bytes">Of each message.</param>
/// <param name="Peers">Links to the first node; with <see cref="LoadWork.NToN"/> the number of nodes.</param>
internal sealed record LoadCell(string System, LoadWork Work, int Bytes, int Peers)
{
    public LoadWaiting Waiting { get; init; }

    /// <summary>What a user can choose of Gudp; the others have no such choice.</summary>
    public GudpChoices Gudp { get; init; } = new();

    /// <summary>Segmentation offload where the system knows it.</summary>
    public bool HasOffload { get; init; } = true;

    /// <summary>Through .NET's own socket, as where the system's calls are not known; one datagram a call.</summary>
    public bool IsFrameworkOnly { get; init; }

    /// <summary>Messages a second and link, sent when they are due whatever became of those before; 0: all that go.</summary>
    public double Rate { get; init; }

    /// <summary>Messages in a row over one link before it is the next one's turn; 0: up to 64 KB.</summary>
    public int Burst { get; init; }

    /// <summary>What a relay between the processes does to datagrams, of <see cref="LoadImpairment"/>; empty: none.</summary>
    public string Impairment { get; init; } = "";

    /// <summary>Each of them has the rate.</summary>
    internal int SendingLinks => Work switch
    {
        LoadWork.NToN => Peers * (Peers - 1),
        LoadWork.TwoWay => 2 * Peers,
        _ => Peers,
    };

    /// <summary>Nothing may be missing at the end.</summary>
    internal bool IsWhole => LoadSystems.IsReliable(System)
        && Gudp.Mode is LaneMode.OrderedReliable or LaneMode.UnorderedReliable;

    /// <summary>Each number follows the one before it.</summary>
    internal bool IsOrdered => LoadSystems.IsReliable(System) && Gudp.Mode == LaneMode.OrderedReliable;

    /// <summary>No number is below the one before it.</summary>
    internal bool IsRising => Gudp.Mode is LaneMode.SequencedReliable or LaneMode.SequencedUnreliable;

    /// <summary>The last message arrives, whatever became of those before.</summary>
    internal bool EndsSurely => IsWhole || (LoadSystems.IsReliable(System) && Gudp.Mode == LaneMode.SequencedReliable);

    public override string ToString()
    {
        string burst = Burst > 0 ? FormattableString.Invariant($", bursts of {Burst}") : "";
        string rate = Rate > 0 ? FormattableString.Invariant($", {Rate} /s") : "";
        string offload = HasOffload ? "" : ", no offload";
        string socket = IsFrameworkOnly ? ", framework's socket" : "";
        string waiting = Waiting == LoadWaiting.Block ? ", blocking" : "";
        string link = Impairment.Length > 0 ? $", {Impairment}" : "";
        string peers = Peers == 1 ? "peer" : "peers";
        return FormattableString.Invariant(
            $"{System}, {LoadNames.Of(Work)}, {Bytes} B, {Peers} {peers}{Gudp}{waiting}{offload}{socket}{burst}{rate}{link}");
    }
}

/// <summary>What a user of Gudp can choose.</summary>
internal sealed record GudpChoices
{
    public LaneMode Mode { get; init; } = LaneMode.OrderedReliable;

    public bool NotifyReceived { get; init; }

    public bool NotifyTaken { get; init; }

    /// <summary>What differs from the default, with a comma before each.</summary>
    public override string ToString()
    {
        string mode = Mode == LaneMode.OrderedReliable ? "" : $", {Mode}";
        string received = NotifyReceived ? ", receipts: received" : "";
        string taken = NotifyTaken ? ", receipts: taken" : "";
        return mode + received + taken;
    }
}

/// <summary>How long a cell is measured, and where its processes run.</summary>
internal sealed record LoadTiming
{
    /// <summary>Before anything counts: what a process compiles at its start takes about three seconds.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan Span { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Each process keeps to a processor of its own, as far as there are so many.</summary>
    public bool IsPinned { get; init; }

    /// <summary>A process that has not ended so long after its time is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>The names that stand in commands and files.</summary>
internal static class LoadNames
{
    private static readonly Dictionary<LoadWork, string> Works = new()
    {
        [LoadWork.RequestResponse] = "request-response",
        [LoadWork.OneWay] = "one-way",
        [LoadWork.TwoWay] = "two-way",
        [LoadWork.NTo1] = "n-to-1",
        [LoadWork.NToN] = "n-to-n",
    };

    internal static IEnumerable<string> All => Works.Values;

    internal static string Of(LoadWork work) => Works[work];

    /// <param name="name">One of <see cref="All"/>.</param>
    internal static LoadWork Read(string name) => Works.First(pair => pair.Value == name).Key;
}

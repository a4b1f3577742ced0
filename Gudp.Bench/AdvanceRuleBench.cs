using BenchmarkDotNet.Attributes;
using Gudp.Bench.Grants;

namespace Gudp.Bench;

/// <summary>One pass of the rule over all members: what a server pays for each turn in which something changed.</summary>
[MemoryDiagnoser]
public class AdvanceRuleBench
{
    private RuleSetup _setup = null!;

    [Params(2, 32, 1024)]
    public int Members { get; set; }

    [Params(RunShape.OneChannel, RunShape.Ring, RunShape.Mesh)]
    public RunShape Shape { get; set; }

    [Params(RunWaits.To, RunWaits.Next)]
    public RunWaits Waits { get; set; }

    [GlobalSetup]
    public void Build() => _setup = new RuleSetup(Shape, Waits, Members);

    [Benchmark]
    public bool Bounds() => _setup.Bounds();
}

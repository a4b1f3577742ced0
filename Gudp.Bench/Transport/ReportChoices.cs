namespace Gudp.Bench.Transport;

/// <summary>What every command for measurements can be told: how much of it, how often, and into which files.</summary>
/// <param name="parts">What can be measured alone.</param>
internal sealed class ReportChoices(params IEnumerable<string> parts)
{
    private const int MostRounds = 100;

    private readonly List<string> _only = [];

    internal ReportFiles Files { get; } = new();

    /// <summary>It was told not to measure everything.</summary>
    internal bool IsPart => _only.Count > 0;

    internal bool IsQuick { get; private set; }

    /// <summary>0: as many as the command has.</summary>
    internal int Rounds { get; private set; }

    /// <summary>Which parts, and the files.</summary>
    internal void AddTo(BenchArguments arguments)
    {
        arguments.Name("--only", parts, _only.Add);
        Files.AddTo(arguments);
    }

    /// <summary>For commands that measure again and again.</summary>
    internal void AddRoundsTo(BenchArguments arguments)
        => arguments.Flag("--quick", () => IsQuick = true)
            .Count("--rounds", (1, MostRounds), rounds => Rounds = rounds);

    internal bool Wants(string part) => !IsPart || _only.Contains(part);

    /// <summary>Reads the arguments, or says what is wrong with them.</summary>
    internal static bool TryRead(BenchArguments options, IReadOnlyList<string> arguments, TextWriter log)
    {
        if (options.TryRead(arguments))
        {
            return true;
        }

        log.WriteLine(options.Problem);
        log.WriteLine(options.Usage);
        return false;
    }
}

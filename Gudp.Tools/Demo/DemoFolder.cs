namespace Gudp.Tools.Demo;

/// <summary>
/// What a demo keeps on disk until it is judged and told: the server's record of each run, and what a member that is
/// killed has saved. Only its owner can read it: whoever has what a member saves can take its place.
/// </summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("gudp-demo-").FullName;

    internal string RecordOf(DemoRunPlan run) => Path.Combine(_path, FormattableString.Invariant($"run-{run.Number}.record"));

    internal string SaveOf(DemoRunPlan run) => Path.Combine(_path, FormattableString.Invariant($"run-{run.Number}.save"));

    /// <summary>Removes it with all that is in it.</summary>
    public void Dispose() => Directory.Delete(_path, recursive: true);
}

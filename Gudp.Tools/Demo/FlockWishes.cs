namespace Gudp.Tools.Demo;

/// <summary>What one process of the demo does beside simulating.</summary>
internal readonly record struct FlockWishes
{
    /// <summary>How long it sleeps in the middle of the run; zero if not at all.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Where it saves every sequence point, see <see cref="FlockSave"/>; null: nowhere.</summary>
    public string? SavePath { get; init; }

    /// <summary>It goes on from what another process saved there.</summary>
    public bool Resumes { get; init; }

    /// <summary>It is killed some time: it tells every step, and does not take the last one but waits.</summary>
    public bool IsDoomed { get; init; }
}

// The flock of a recorded run, as one of its members saw it: the member's part is played again, with what the record
// says it was given at each step. Its checksum at the end is that of the process in the run, or something is wrong.

using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>A place in the world, in world units.</summary>
internal readonly record struct FlockPlace(double X, double Y)
{
    /// <summary>Width and height of the world.</summary>
    internal const double Side = FlockModel.WorldSide >> FlockModel.FractionBits;

    private const double Unit = 1L << FlockModel.FractionBits;

    internal static FlockPlace Of(in FlockAgent agent) => new(agent.X / Unit, agent.Y / Unit);
}

/// <summary>Where one bird flew.</summary>
/// <param name="Agent">Its number.</param>
/// <param name="Member">Whose it was at the start.</param>
/// <param name="Places">In the order of time.</param>
internal sealed record FlockPath(int Agent, int Member, IReadOnlyList<FlockPlace> Places);

/// <summary>Where the birds of a recorded run flew, and where they were at its end.</summary>
/// <param name="Agents">All, at the end.</param>
/// <param name="Paths">Of all, or of some of every share if they are many.</param>
internal sealed record FlockFilm(IReadOnlyList<FlockAgent> Agents, IReadOnlyList<FlockPath> Paths)
{
    /// <summary>Paths at most: more of them are a hairball.</summary>
    internal const int MostPaths = 400;

    /// <summary>Places of one path at most.</summary>
    internal const int MostPlaces = 81;

    // A bird flies 20 units in so many steps: corners cannot be seen, and where it left the world can.
    private const int LongestStride = 5;

    /// <summary>Steps simulated.</summary>
    internal required int Steps { get; init; }

    /// <summary>The step the paths begin at; 0 unless they were too long.</summary>
    internal required int PathsFrom { get; init; }

    /// <inheritdoc cref="FlockModel.Checksum"/>
    internal required ulong Checksum { get; init; }

    /// <param name="record">Of a run of the flock, with payloads.</param>
    /// <param name="witness">Ordinal of a member that came to the end.</param>
    /// <param name="plan">What was simulated.</param>
    /// <exception cref="InvalidDataException">What the record holds is no such flock.</exception>
    internal static FlockFilm Of(RunRecord record, int witness, DemoPlan plan)
    {
        FlockModel model = new(plan.Agents, plan.Seed);
        FlockPilot pilot = new(model, witness, plan.Members);
        int steps = (int)record.Members[witness].EndGrant - 1;
        int stride = Math.Clamp((steps + MostPlaces - 2) / (MostPlaces - 1), 1, LongestStride);
        int from = Math.Max(0, steps - (stride * (MostPlaces - 1)));
        int[] shown = Shown(plan.Agents);
        List<FlockPlace>[] places = [.. shown.Select(_ => new List<FlockPlace>())];
        Note(model, shown, places, isWanted: from == 0);

        foreach (RecordedBatch batch in record.ReadGrants())
        {
            // The first grant is the start: nothing moved yet.
            if (batch.Grant.Member != witness || batch.Grant.Index == 0)
            {
                continue;
            }

            pilot.Move();
            pilot.Take([.. batch.Messages.Select(MessageOf)]);
            int step = pilot.StepNumber;
            Note(model, shown, places, step >= from && (steps - step) % stride == 0);
        }

        return new FlockFilm(model.Agents.ToArray(), [.. shown.Select((agent, i) => PathOf(agent, places[i], plan))])
        {
            Steps = pilot.StepNumber,
            PathsFrom = from,
            Checksum = pilot.Checksum(),
        };
    }

    /// <summary>Whose bird that is at the start.</summary>
    internal static int OwnerOf(int agent, int agents, int members)
        // Shares begin at agents * member / members, rounded down.
        => (int)(((((long)agent + 1) * members) - 1) / agents);

    private static FlockPath PathOf(int agent, List<FlockPlace> places, DemoPlan plan)
        => new(agent, OwnerOf(agent, plan.Agents, plan.Members), places);

    // Evenly over the numbers, and with them over the shares.
    private static int[] Shown(int agents)
    {
        int count = Math.Min(agents, MostPaths);
        return [.. Enumerable.Range(0, count).Select(i => (int)((long)agents * i / count))];
    }

    private static void Note(FlockModel model, int[] shown, List<FlockPlace>[] places, bool isWanted)
    {
        for (int i = 0; i < shown.Length && isWanted; i++)
        {
            places[i].Add(FlockPlace.Of(model.Agents[shown[i]]));
        }
    }

    // The flock asks for no sender's name.
    private static SequencedMessage MessageOf(RecordedMessage message) => new(
        message.Channel,
        message.Key.Arrival,
        message.Key.SendTag,
        string.Empty,
        message.Key.Publisher,
        message.Key.SubSequence,
        message.Payload);
}

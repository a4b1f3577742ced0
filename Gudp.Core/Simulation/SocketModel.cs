using System;
using Gudp.Core.Sockets;

namespace Gudp.Core.Simulation;

/// <summary>
/// How the system behind simulated sockets deals with runs of datagrams: the shapes in which Linux takes and brings
/// them. What the network does to each datagram is the <see cref="LinkModel"/>'s.
/// </summary>
/// <remarks>
/// Each socket draws for itself, one way for what it sends and one for what it receives, so that a chance that is
/// switched off or a socket that is added changes no other draw.
/// </remarks>
public sealed record SocketModel
{
    /// <summary>The most datagrams a call of Linux takes or brings by its own joining.</summary>
    public const int MostSegments = RunSender.MostSegments;

    private const int Million = 1_000_000;

    /// <summary>One datagram a call, and no refusals.</summary>
    public static SocketModel Plain { get; } = new();

    /// <summary>
    /// Datagrams one TrySend may carry; above 1 imitates offload. 1 to <see cref="MostSegments"/>, default 1. What is
    /// changed holds for sockets opened from then on.
    /// </summary>
    public int MaxSegments { get; init; } = 1;

    /// <summary>
    /// Waiting datagrams that one TryReceive may bring: those of one sender that stand behind each other and are of one
    /// size, the last shorter or not, whoever sent them in one call or in several. 1 or more, default 1; the buffer is
    /// a limit too. A kernel joins 64, and passes on what a sender without that limit put together.
    /// </summary>
    public int MaxJoined { get; init; } = 1;

    /// <summary>Chance that what is joined ends before the next datagram that would still belong to it.</summary>
    public int JoinEndsPpm { get; init; }

    /// <summary>
    /// Chance that a call finds the socket's buffer full: <see cref="SocketOutcome.WouldBlock"/>. Of datagrams that go in
    /// several calls, as those of a refused run do, the first ones were sent then.
    /// </summary>
    public int FullPpm { get; init; }

    /// <summary>
    /// Chance that a run is refused whose datagrams are taken one by one, and that runs are taken again later: a
    /// firewall's veto.
    /// </summary>
    public int VetoPpm { get; init; }

    /// <summary>Chance that a run is refused so, and the socket is told that it always will be: a device without offload.
    /// </summary>
    public int RefusalPpm { get; init; }

    /// <summary>
    /// Random shapes for a swarm test: each chance is off with chance 1/2, else drawn from its range. Always takes the same
    /// number of draws.
    /// </summary>
    /// <param name="draws">Where the numbers come from.</param>
    public static SocketModel Drawn(Prng draws)
    {
        ArgumentNullException.ThrowIfNull(draws);

        return new SocketModel
        {
            MaxSegments = draws.NextBelow(4) switch
            {
                0 => 1,
                1 => (int)draws.NextBetween(2, MostSegments),
                2 => MostSegments / 4,
                _ => MostSegments,
            },
            MaxJoined = draws.NextBelow(4) switch
            {
                0 => 1,
                1 => (int)draws.NextBetween(2, MostSegments),
                2 => MostSegments,
                _ => 16 * MostSegments,
            },
            JoinEndsPpm = DrawnOrZero(draws, 300_000),
            FullPpm = DrawnOrZero(draws, 30_000),
            VetoPpm = DrawnOrZero(draws, 100_000),
            RefusalPpm = DrawnOrZero(draws, 20_000),
        };
    }

    /// <summary>Refuses values outside the ranges given at the properties; chances are 0 to 1,000,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        RequireBetween(MaxSegments, 1, MostSegments, nameof(MaxSegments));
        RequireBetween(MaxJoined, 1, int.MaxValue, nameof(MaxJoined));
        RequireBetween(JoinEndsPpm, 0, Million, nameof(JoinEndsPpm));
        RequireBetween(FullPpm, 0, Million, nameof(FullPpm));
        RequireBetween(VetoPpm, 0, Million, nameof(VetoPpm));
        RequireBetween(RefusalPpm, 0, Million, nameof(RefusalPpm));
    }

    private static int DrawnOrZero(Prng draws, int most)
    {
        bool isOn = draws.NextChance(Million / 2);
        int amount = (int)draws.NextBetween(0, most);
        return isOn ? amount : 0;
    }

    private static void RequireBetween(int value, int least, int most, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
    }
}

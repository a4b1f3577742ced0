// The flock: agents on a torus that keep apart, fly alike and stay together (Reynolds, 1987), split between members.
//
// Each member knows every agent at step t, moves only its own share to step t + 1 and publishes that share. So the
// members agree on the whole flock for ever if, and only if, all of them saw the same shares at the same step.
//
// Why every machine computes the same bits: positions and velocities are integers (fixed point, 20 bits behind the
// point). A sum of integers does not depend on the order of its terms, and the one square root is of the kind that
// IEEE 754 defines to the last bit. So it does not matter who computes an agent, nor in which order.
//
// Always true:
//   - every position lies in the world, and no component of a velocity exceeds MaxSpeed;
//   - no agent is known at a step later than this model's own;
//   - after the first step, _before is the whole flock as it was one step earlier.

using System.Buffers.Binary;
using Gudp.Core;

namespace Gudp.Tools.Demo;

/// <summary>One member's view of the whole flock. One thread at a time.</summary>
internal sealed class FlockModel
{
    internal const int HeaderBytes = 8;            // step (4), first agent (2), count (2)
    internal const int MaxAgents = ushort.MaxValue;

    internal const int FractionBits = 20;
    internal const long WorldSide = 1024L << FractionBits;
    internal const long MaxSpeed = 4L << FractionBits;
    private const long MinSpeed = 1L << FractionBits;

    // An agent sees as far as a cell is wide, so that its neighbours stand in the nine cells around it.
    private const int SightBits = 6 + FractionBits;
    private const long Sight = 1L << SightBits;
    private const int CellsPerSide = (int)(WorldSide >> SightBits);

    private const int CloseBits = 4 + FractionBits;
    private const long Close = 1L << CloseBits;

    // How much of each wish is followed per step, as a power of two; found by looking at the result.
    private const int AlignmentShift = 3;
    private const int CohesionShift = 7;
    private const int SeparationShift = 4;

    private readonly FlockAgent[] _agents;
    private readonly FlockAgent[] _before;
    private readonly int[] _knownAt;
    private readonly int[] _cellStarts = new int[(CellsPerSide * CellsPerSide) + 1];
    private readonly int[] _agentsByCell;
    private int _step;

    /// <summary>A flock at step 0, which follows from <paramref name="seed"/> alone.</summary>
    /// <param name="agents">1 to <see cref="MaxAgents"/>.</param>
    internal FlockModel(int agents, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(agents);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(agents, MaxAgents);

        _agents = new FlockAgent[agents];
        _before = new FlockAgent[agents];
        _knownAt = new int[agents];
        _agentsByCell = new int[agents];

        Prng draws = new(seed);

        foreach (ref FlockAgent agent in _agents.AsSpan())
        {
            agent = new FlockAgent(
                draws.NextBelow(WorldSide),
                draws.NextBelow(WorldSide),
                draws.NextBetween(-MinSpeed, MinSpeed),
                draws.NextBetween(-MinSpeed, MinSpeed));
        }
    }

    /// <summary>The step this model has reached with its own share; 0 at the start.</summary>
    internal int StepNumber => _step;

    internal ReadOnlySpan<FlockAgent> Agents => _agents;

    /// <summary>True once every agent is known at <see cref="StepNumber"/>: the next step can be computed.</summary>
    internal bool IsComplete => !_knownAt.AsSpan().ContainsAnyExcept(_step);

    /// <summary>The agents a member owns: the shares of all members cover the flock, each agent once.</summary>
    /// <param name="member">0 to <paramref name="members"/> - 1.</param>
    /// <param name="members">1 or more.</param>
    internal Range ShareOf(int member, int members)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(member);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(member, members);

        return StartOf(member, members)..StartOf(member + 1, members);
    }

    internal int ShareBytes(Range share)
        => HeaderBytes + (share.GetOffsetAndLength(_agents.Length).Length * FlockAgent.Bytes);

    /// <summary>Writes the share as it is at <see cref="StepNumber"/>.</summary>
    /// <param name="share">The agents to write.</param>
    /// <param name="destination">At least <see cref="ShareBytes"/> long.</param>
    /// <returns>The bytes written.</returns>
    internal int WriteShare(Range share, Span<byte> destination)
    {
        (int first, int count) = share.GetOffsetAndLength(_agents.Length);

        BinaryPrimitives.WriteInt32BigEndian(destination, _step);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], (ushort)first);
        BinaryPrimitives.WriteUInt16BigEndian(destination[6..], (ushort)count);

        for (int i = 0; i < count; i++)
        {
            _agents[first + i].Write(destination[(HeaderBytes + (i * FlockAgent.Bytes))..]);
        }

        return ShareBytes(share);
    }

    /// <summary>Takes over another member's share at <see cref="StepNumber"/>.</summary>
    /// <exception cref="InvalidDataException">
    /// The bytes are not a share of this flock at this step; nothing was taken.
    /// </exception>
    internal void ReadShare(ReadOnlySpan<byte> share)
    {
        (int first, int count) = CheckShare(share);

        for (int i = 0; i < count; i++)
        {
            _agents[first + i] = FlockAgent.Read(share[(HeaderBytes + (i * FlockAgent.Bytes))..]);
            _knownAt[first + i] = _step;
        }
    }

    /// <summary>Moves the share to the next step. All agents must be known at the present one.</summary>
    internal void Step(Range share)
    {
        RequireComplete();

        // Nobody may see a neighbour that has already moved.
        _agents.CopyTo(_before, 0);
        SortIntoCells();
        _step++;
        MoveAlong(share);
    }

    /// <summary>
    /// After <see cref="Step"/>: moves another share to the same step, as its owner would have. It follows from what
    /// everybody knew, so it does not matter who does it, nor how many.
    /// </summary>
    internal void MoveAlong(Range share)
    {
        (int first, int count) = share.GetOffsetAndLength(_agents.Length);

        for (int i = first; i < first + count; i++)
        {
            _agents[i] = Moved(i);
        }

        _knownAt.AsSpan(first, count).Fill(_step);
    }

    /// <summary>A flock as <see cref="WriteShare"/> wrote all of it; it goes on from that step.</summary>
    /// <param name="agents">1 to <see cref="MaxAgents"/>.</param>
    /// <param name="whole">The share of one who owns all.</param>
    /// <exception cref="InvalidDataException">The bytes are not such a flock.</exception>
    internal static FlockModel Restore(int agents, ReadOnlySpan<byte> whole)
    {
        FlockModel model = new(agents, seed: 0);

        if (whole.Length >= HeaderBytes)
        {
            model._step = BinaryPrimitives.ReadInt32BigEndian(whole);
        }

        model.ReadShare(whole);

        return model.IsComplete
            ? model
            : throw new InvalidDataException($"{whole.Length} B do not hold all of {agents} agents.");
    }

    /// <summary>FNV-1a with 64 bits over all agents, which must be known at <see cref="StepNumber"/>.</summary>
    internal ulong Checksum()
    {
        RequireComplete();

        ulong hash = 0xCBF2_9CE4_8422_2325;
        Span<byte> bytes = stackalloc byte[FlockAgent.Bytes];

        foreach (FlockAgent agent in _agents)
        {
            agent.Write(bytes);

            foreach (byte one in bytes)
            {
                hash = (hash ^ one) * 0x0000_0100_0000_01B3;
            }
        }

        return hash;
    }

    private int StartOf(int member, int members) => (int)((long)_agents.Length * member / members);

    private (int First, int Count) CheckShare(ReadOnlySpan<byte> share)
    {
        if (share.Length < HeaderBytes)
        {
            throw new InvalidDataException(
                $"A share of {share.Length} B is shorter than its header of {HeaderBytes} B.");
        }

        int step = BinaryPrimitives.ReadInt32BigEndian(share);
        int first = BinaryPrimitives.ReadUInt16BigEndian(share[4..]);
        int count = BinaryPrimitives.ReadUInt16BigEndian(share[6..]);

        if (step != _step)
        {
            throw new InvalidDataException($"A share of step {step} came while this member is at step {_step}.");
        }

        if (first + count > _agents.Length || share.Length != HeaderBytes + (count * FlockAgent.Bytes))
        {
            throw new InvalidDataException(
                $"A share of {share.Length} B claims agents {first} to {first + count - 1} of {_agents.Length}.");
        }

        for (int i = 0; i < count; i++)
        {
            if (!IsPossible(FlockAgent.Read(share[(HeaderBytes + (i * FlockAgent.Bytes))..])))
            {
                throw new InvalidDataException($"Agent {first + i} is outside the world or too fast.");
            }
        }

        return (first, count);
    }

    private static bool IsPossible(FlockAgent agent)
        => agent.X is >= 0 and < WorldSide && agent.Y is >= 0 and < WorldSide
        && agent.VelocityX is >= -MaxSpeed and <= MaxSpeed && agent.VelocityY is >= -MaxSpeed and <= MaxSpeed;

    private void RequireComplete()
    {
        if (!IsComplete)
        {
            int known = _knownAt.AsSpan().Count(_step);
            throw new InvalidOperationException($"Only {known} of {_agents.Length} agents are known at step {_step}.");
        }
    }

    // Counting sort: agents of one cell stand together, in the order of their index.
    private void SortIntoCells()
    {
        Array.Clear(_cellStarts);

        foreach (FlockAgent agent in _before)
        {
            _cellStarts[CellOf(agent)]++;
        }

        for (int cell = 1; cell < _cellStarts.Length; cell++)
        {
            _cellStarts[cell] += _cellStarts[cell - 1];
        }

        // Now each entry is where its cell ends; placing the agents, last one first, moves it to where the cell begins.
        for (int i = _before.Length - 1; i >= 0; i--)
        {
            _agentsByCell[--_cellStarts[CellOf(_before[i])]] = i;
        }
    }

    private ReadOnlySpan<int> AgentsIn(int column, int row)
    {
        // A torus: the cell beyond the last one is the first.
        int cell = ((row & (CellsPerSide - 1)) * CellsPerSide) + (column & (CellsPerSide - 1));

        return _agentsByCell.AsSpan(_cellStarts[cell].._cellStarts[cell + 1]);
    }

    private static int CellOf(FlockAgent agent)
        => ((int)(agent.Y >> SightBits) * CellsPerSide) + (int)(agent.X >> SightBits);

    private FlockAgent Moved(int index)
    {
        FlockAgent self = _before[index];
        Neighbourhood seen = default;

        int column = (int)(self.X >> SightBits);
        int row = (int)(self.Y >> SightBits);

        for (int cell = 0; cell < 9; cell++)
        {
            foreach (int other in AgentsIn(column + (cell % 3) - 1, row + (cell / 3) - 1))
            {
                if (other != index)
                {
                    seen.Add(self, _before[other]);
                }
            }
        }

        (long velocityX, long velocityY) = Bounded(
            self.VelocityX + seen.WishX(self.VelocityX),
            self.VelocityY + seen.WishY(self.VelocityY));

        return new FlockAgent(
            (self.X + velocityX) & (WorldSide - 1), (self.Y + velocityY) & (WorldSide - 1), velocityX, velocityY);
    }

    private static (long X, long Y) Bounded(long velocityX, long velocityY)
    {
        // Rounded up, so that scaling down never leaves a component above the limit.
        long speed = (long)Math.Ceiling(Math.Sqrt((velocityX * velocityX) + (velocityY * velocityY)));
        long allowed = Math.Clamp(speed, MinSpeed, MaxSpeed);

        if (speed == 0)
        {
            return (MinSpeed, 0);
        }

        return (velocityX * allowed / speed, velocityY * allowed / speed);
    }

    // Shortest way around the torus: the low bits of the difference, read as a signed number.
    private static long Offset(long from, long to)
    {
        const int spareBits = 64 - 10 - FractionBits;
        return ((to - from) << spareBits) >> spareBits;
    }

    /// <summary>Sums over the agents in sight; integers, so in any order.</summary>
    private struct Neighbourhood
    {
        private int _count;
        private long _offsetX;
        private long _offsetY;
        private long _velocityX;
        private long _velocityY;
        private long _pushX;
        private long _pushY;

        internal void Add(FlockAgent self, FlockAgent other)
        {
            long offsetX = Offset(self.X, other.X);
            long offsetY = Offset(self.Y, other.Y);
            long squaredDistance = (offsetX * offsetX) + (offsetY * offsetY);

            if (squaredDistance > Sight * Sight)
            {
                return;
            }

            _count++;
            _offsetX += offsetX;
            _offsetY += offsetY;
            _velocityX += other.VelocityX;
            _velocityY += other.VelocityY;

            if (squaredDistance < Close * Close)
            {
                // From nothing at the edge to the whole offset at the centre; shifted first, or it would overflow.
                long urgency = ((Close * Close) - squaredDistance) >> CloseBits;
                _pushX -= (offsetX * urgency) >> CloseBits;
                _pushY -= (offsetY * urgency) >> CloseBits;
            }
        }

        internal readonly long WishX(long velocity) => Wish(velocity, _velocityX, _offsetX, _pushX);

        internal readonly long WishY(long velocity) => Wish(velocity, _velocityY, _offsetY, _pushY);

        private readonly long Wish(long velocity, long velocities, long offsets, long push)
        {
            if (_count == 0)
            {
                return 0;
            }

            long alignment = ((velocities / _count) - velocity) >> AlignmentShift;
            long cohesion = (offsets / _count) >> CohesionShift;
            long separation = Math.Clamp(push >> SeparationShift, -MaxSpeed, MaxSpeed);

            return alignment + cohesion + separation;
        }
    }
}

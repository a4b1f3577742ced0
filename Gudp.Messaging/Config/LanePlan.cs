using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>
/// How this end sends on each lane: mode, priority, weight, repeats, and what a full lane does. The peer learns a lane's
/// mode when the lane is first used, so the two ends may have different plans. Immutable; equal by content.
/// </summary>
/// <remarks>
/// Text: entries separated by commas, each <c>lane:Mode</c> or <c>first-last:Mode</c>, then any of
/// <c>/priority=n</c>, <c>/weight=n</c>, <c>/repeats=n</c>, <c>/full=Policy</c>. Upper and lower case are the same.
/// What is not named is as in <see cref="Default"/>.
/// </remarks>
/// <example><code>
/// MessagingConfig config = new()
/// {
///     LanePlan = LanePlan.Default
///         .With(3, new() { Mode = LaneMode.SequencedReliable, Priority = 1 })
///         .With(4, new() { Weight = 4 }),
/// };
/// </code></example>
public sealed class LanePlan : IEquatable<LanePlan>
{
    /// <summary>Plans speak of lanes 0 to 255; those beyond <see cref="MessagingConfig.Lanes"/> must be default.</summary>
    public const int MostLanes = LaneSet.MostLanes;

    private const int LeastPriority = sbyte.MinValue;
    private const int MostPriority = sbyte.MaxValue;
    private const int MostWeight = byte.MaxValue;
    private const int MostRepeats = 3;
    private const int ControlLane = 0;

    private readonly LaneOptions[] _lanes;
    private readonly string? _mistake;

    private LanePlan(LaneOptions[] lanes, string? mistake = null)
    {
        _lanes = lanes;
        _mistake = mistake;
    }

    /// <summary>Lane 2 unreliable, all others ordered reliable; even priorities and weights.</summary>
    public static LanePlan Default { get; } = MakeDefault();

    /// <summary>How a lane is sent on.</summary>
    /// <param name="lane">0 to 255.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane.</exception>
    public LaneOptions this[int lane]
    {
        get
        {
            CheckLane(lane);
            return _lanes[lane];
        }
    }

    /// <summary>This plan with one lane changed. What it may be is checked when the config is.</summary>
    /// <param name="lane">0 to 255; the control lane 0 can only be as it is.</param>
    /// <param name="options">How it is sent on.</param>
    /// <returns>A new plan.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane.</exception>
    public LanePlan With(int lane, LaneOptions options)
    {
        CheckLane(lane);
        LaneOptions[] lanes = [.. _lanes];
        lanes[lane] = options;
        return new LanePlan(lanes, _mistake);
    }

    /// <summary>Reads the text form; empty gives <see cref="Default"/>.</summary>
    /// <param name="text">As described above.</param>
    /// <exception cref="FormatException">The text cannot be read; names the entry and what was expected.</exception>
    public static LanePlan Parse(string text)
    {
        LanePlan plan = Read(text);
        return plan._mistake is { } mistake ? throw new FormatException(mistake) : plan;
    }

    /// <inheritdoc/>
    public bool Equals(LanePlan? other)
        => other is not null && _mistake == other._mistake && _lanes.AsSpan().SequenceEqual(other._lanes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LanePlan);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;

        foreach (LaneOptions lane in _lanes)
        {
            hash.Add(lane);
        }

        return hash.ToHashCode();
    }

    /// <summary>What differs from <see cref="Default"/>, in the text form.</summary>
    public override string ToString()
    {
        StringBuilder text = new();

        for (int lane = 0; lane < MostLanes;)
        {
            int last = lane;

            while (last + 1 < MostLanes && IsDefault(last + 1) == IsDefault(lane) && _lanes[last + 1] == _lanes[lane])
            {
                last++;
            }

            if (!IsDefault(lane))
            {
                Write(text, lane, last);
            }

            lane = last + 1;
        }

        return text.ToString();
    }

    /// <summary>As <see cref="Parse"/>, but keeps what is wrong for <see cref="Check"/> to tell.</summary>
    internal static LanePlan Read(string text)
    {
        LaneOptions[] lanes = [.. Default._lanes];

        foreach (string entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!TryReadEntry(entry, lanes, out string expected))
            {
                return new LanePlan(lanes, $"The entry \"{entry}\" of the lane plan cannot be read; {expected}");
            }
        }

        return new LanePlan(lanes);
    }

    /// <summary>Adds what is wrong with the plan.</summary>
    /// <param name="errors">Of the config the plan is part of.</param>
    /// <param name="lanesInUse"><see cref="MessagingConfig.Lanes"/>.</param>
    internal void Check(ConfigErrors errors, int lanesInUse)
    {
        if (_mistake is not null)
        {
            errors.Add(_mistake + ".");
        }

        for (int lane = 0; lane < MostLanes; lane++)
        {
            if (IsDefault(lane))
            {
                continue;
            }

            if (lane == ControlLane)
            {
                Add(errors, lane, "the default", "the control lane carries what keeps the others going");
            }
            else if (lane >= lanesInUse)
            {
                Add(errors, lane, $"a lane below {lanesInUse}", "MessagingConfig.Lanes says how many there are");
            }
            else
            {
                CheckLane(errors, lane, _lanes[lane]);
            }
        }
    }

    private void CheckLane(ConfigErrors errors, int lane, in LaneOptions options)
    {
        if (!Enum.IsDefined(options.Mode))
        {
            Add(errors, lane, $"a mode of {string.Join(", ", Enum.GetNames<LaneMode>())}", "there is no other");
        }

        if (options.Priority is < LeastPriority or > MostPriority)
        {
            Add(errors, lane, $"a priority of {LeastPriority} to {MostPriority}", "the wire has one byte");
        }

        if (options.Weight is < 1 or > MostWeight)
        {
            Add(errors, lane, $"a weight of 1 to {MostWeight}", "the wire has one byte, and no lane may starve");
        }

        if (options.Repeats is < 0 or > MostRepeats)
        {
            Add(errors, lane, $"0 to {MostRepeats} repeats", "more cost more than they save");
        }

        bool loses = options.WhenFull is FullPolicy.DropOldest or FullPolicy.DropNewest;

        if (!Enum.IsDefined(options.WhenFull) || (loses && options.Mode < LaneMode.SequencedUnreliable))
        {
            Add(errors, lane, "full=Refuse or full=Disconnect", "only unreliable modes may lose what they accepted");
        }
    }

    private void Add(ConfigErrors errors, int lane, string allowed, string reason)
    {
        StringBuilder text = new();
        Write(text, lane, lane);
        errors.Add(nameof(LanePlan), text.ToString(), allowed, reason);
    }

    private void Write(StringBuilder text, int first, int last)
    {
        LaneOptions options = _lanes[first];
        text.Append(text.Length == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{first}");
        _ = last > first ? text.Append(CultureInfo.InvariantCulture, $"-{last}") : text;
        text.Append(':').Append(options.Mode);
        Append("priority", options.Priority, 0);
        Append("weight", options.Weight, LaneOptions.DefaultWeight);
        Append("repeats", options.Repeats, 0);

        if (options.WhenFull != FullPolicy.Refuse)
        {
            text.Append("/full=").Append(options.WhenFull);
        }

        void Append(string name, int value, int common)
            => _ = value == common ? text : text.Append(CultureInfo.InvariantCulture, $"/{name}={value}");
    }

    private static bool TryReadEntry(string entry, LaneOptions[] lanes, out string expected)
    {
        expected = "expected is lane:Mode or first-last:Mode with lanes 0 to 255";
        string[] parts = entry.Split('/', StringSplitOptions.TrimEntries);
        string[] head = parts[0].Split(':', StringSplitOptions.TrimEntries);

        if (head.Length != 2 || !TryReadLanes(head[0], out int first, out int last))
        {
            return false;
        }

        expected = $"expected is a mode of {string.Join(", ", Enum.GetNames<LaneMode>())}";

        if (!TryReadName(head[1], out LaneMode mode))
        {
            return false;
        }

        LaneOptions options = new() { Mode = mode };
        expected = "expected is /priority=n, /weight=n, /repeats=n or /full="
            + string.Join(" or ", Enum.GetNames<FullPolicy>());

        foreach (string part in parts.AsSpan(1))
        {
            if (!TryReadOption(part, ref options))
            {
                return false;
            }
        }

        lanes.AsSpan(first, last - first + 1).Fill(options);
        return true;
    }

    private static bool TryReadLanes(string text, out int first, out int last)
    {
        string[] ends = text.Split('-', StringSplitOptions.TrimEntries);
        last = 0;
        return TryReadNumber(ends[0], out first) && TryReadNumber(ends[^1], out last)
            && ends.Length <= 2 && first >= 0 && first <= last && last < MostLanes;
    }

    private static bool TryReadOption(string text, ref LaneOptions options)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);

        if (equals < 0)
        {
            return false;
        }

        string value = text[(equals + 1)..].Trim();
        string name = text[..equals].Trim().ToUpperInvariant();

        if (name == "FULL")
        {
            bool isKnown = TryReadName(value, out FullPolicy policy);
            options = options with { WhenFull = policy };
            return isKnown;
        }

        if (!TryReadNumber(value, out int number))
        {
            return false;
        }

        switch (name)
        {
            case "PRIORITY":
                options = options with { Priority = number };
                return true;
            case "WEIGHT":
                options = options with { Weight = number };
                return true;
            case "REPEATS":
                options = options with { Repeats = number };
                return true;
            default:
                return false;
        }
    }

    private static bool TryReadName<TEnum>(string text, out TEnum value)
        where TEnum : struct, Enum
    {
        // Numbers are not names.
        bool isName = text.Length > 0 && char.IsLetter(text[0]);
        value = default;
        return isName && Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value);
    }

    private static bool TryReadNumber(string text, out int number)
        => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static LanePlan MakeDefault()
    {
        LaneOptions[] lanes = new LaneOptions[MostLanes];
        lanes[SendOptions.UnreliableLane] = new LaneOptions { Mode = LaneMode.Unreliable };
        return new LanePlan(lanes);
    }

    private bool IsDefault(int lane) => Default is { } common && _lanes[lane] == common._lanes[lane];

    private static void CheckLane(int lane)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, MostLanes);
    }
}

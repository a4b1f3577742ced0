using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// What the server told a member about its waits: measurements, kept apart from what makes its history. What nobody
/// takes is bounded.
/// </summary>
internal sealed class MemberHealth
{
    /// <summary>Reports that wait to be taken; the oldest go.</summary>
    internal const int MaxReports = 16;

    private readonly Queue<WaitReport> _overdue = new();
    private readonly List<WaitReport> _read = [];
    private string _root = "";
    private byte[] _rootName = [];
    private ulong _asked;

    /// <summary>The last question that was answered.</summary>
    internal ulong Answered { get; private set; }

    /// <summary>The answer to it; null: the member did not wait.</summary>
    internal WaitReport? Answer { get; private set; }

    /// <summary>What kept the grant that comes next; none if it comes at once.</summary>
    internal WaitKind Kind { get; private set; }

    /// <summary>How long.</summary>
    internal TimeSpan Waited { get; private set; }

    /// <summary>Whose progress released it.</summary>
    internal string? WaitedFor => Kind is WaitKind.None or WaitKind.Barrier or WaitKind.Pacing ? null : _root;

    internal ulong NextRequest() => ++_asked;

    internal bool TryTakeOverdue([NotNullWhen(true)] out WaitReport? report) => _overdue.TryDequeue(out report);

    /// <summary>The grant has been taken in.</summary>
    internal void Forget()
    {
        Kind = WaitKind.None;
        Waited = TimeSpan.Zero;
    }

    internal bool TryRead(ReadOnlySpan<byte> body)
    {
        if (body.Length > 0 && body[0] == (byte)HealthPurpose.Released)
        {
            return TryReadReleased(body);
        }

        _read.Clear();

        if (!HealthFrame.TryRead(body, out HealthPurpose purpose, out ulong number, _read))
        {
            return false;
        }

        if (purpose == HealthPurpose.Overdue)
        {
            foreach (WaitReport report in _read)
            {
                Keep(report);
            }
        }
        else
        {
            Answered = number;
            Answer = _read.Count > 0 ? _read[0] : null;
        }

        return true;
    }

    // With every grant that had to wait: the same root again makes no string anew.
    private bool TryReadReleased(ReadOnlySpan<byte> body)
    {
        if (!HealthFrame.TryReadReleased(body, out ReadOnlySpan<byte> name, out WaitKind kind, out TimeSpan waited))
        {
            return false;
        }

        if (!name.SequenceEqual(_rootName))
        {
            _rootName = name.ToArray();
            _root = Encoding.UTF8.GetString(name);
        }

        Kind = kind;
        Waited = waited;
        return true;
    }

    private void Keep(WaitReport report)
    {
        if (_overdue.Count == MaxReports)
        {
            _overdue.Dequeue();
        }

        _overdue.Enqueue(report);
    }
}

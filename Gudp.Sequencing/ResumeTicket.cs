using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>
/// All there is to a member at a sequence point besides the application's own state: saved together with that, it lets
/// another process go on where one died (lock-time 5.2, 8.4).
/// </summary>
/// <remarks>
/// Taken with <see cref="SequenceClient.CreateTicket"/> after each grant and before anything is said, and used with
/// <see cref="SequenceClient.Resume"/>. The process that comes back does again what the one that died did after its
/// last ticket; it must be a function of its grants. Limits, recording and waits of the process itself are not in it: the
/// process that comes back gives its own options. A ticket is good until the server gets the second commit after it.
/// Whoever has it can take the member's place: keep it as private as a password.
/// </remarks>
public sealed class ResumeTicket
{
    private const int MaxBytes = 64 << 20;

    internal ResumeTicket()
    {
        // Made at a sequence point or from bytes, never by an application.
    }

    /// <summary>The member's name.</summary>
    public string Name => Hello.Name;

    /// <summary>The sequence point it was taken at.</summary>
    public Tag Now => State.Now;

    /// <summary>The member's digest there.</summary>
    public ulong Digest => DigestPoint.Value;

    /// <summary>What the member declared.</summary>
    internal HelloFrame Hello { get; init; } = new();
    internal MemberState State { get; init; }
    internal ResumePoint Session { get; init; }
    internal DigestPoint DigestPoint { get; init; }
    internal CommitPoint CommitPoint { get; init; }
    internal ulong Step { get; init; }
    internal ulong RunConfigHash { get; init; }
    internal int Ordinal { get; init; }
    internal IReadOnlyList<string> Roster { get; init; } = [];

    /// <summary>Reads what <see cref="ToArray"/> wrote.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="ticket">Null if it is damaged or of another version.</param>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ResumeTicket? ticket)
    {
        ticket = null;
        ReadOnlySpan<byte> magic = "gudp-rt/1\0"u8;

        if (bytes.Length > MaxBytes || !bytes.StartsWith(magic) || !HasChecksum(bytes))
        {
            return false;
        }

        FrameReader reader = new(bytes[magic.Length..^sizeof(ulong)]);

        if (!Frame.TryNext(ref reader, out Frame frame) || !HelloFrame.TryRead(in frame, out HelloFrame hello))
        {
            return false;
        }

        UInt128 token = HelloFrame.ReadToken(ref reader) ?? 0;
        ulong epoch = reader.ReadNumber();
        ulong session = reader.ReadNumber();
        ulong grants = reader.ReadNumber();
        List<string> roster = ReadRoster(ref reader);

        ticket = new ResumeTicket
        {
            Hello = hello,
            Roster = roster,
            Session = new ResumePoint(token, epoch, session, grants, roster.Count),
            Ordinal = reader.ReadInt32(),
            Step = reader.ReadNumber(),
            RunConfigHash = reader.ReadUInt64(),
            State = ReadState(ref reader),
            DigestPoint = new DigestPoint(
                reader.ReadUInt64(), (long)reader.ReadNumber(), (long)reader.ReadNumber(), reader.ReadTag()),
            CommitPoint = new CommitPoint(reader.ReadUInt64(), (long)reader.ReadNumber(), (long)reader.ReadNumber()),
        };

        if (!reader.IsComplete || session == 0)
        {
            ticket = null;
        }

        return ticket is not null;
    }

    /// <summary>The ticket as bytes to save; a new array. About 100 bytes and the names of channels and members.</summary>
    public byte[] ToArray()
    {
        FrameWriter writer = new();
        writer.WriteBytes("gudp-rt/1\0"u8);
        Hello.Write(writer);
        HelloFrame.WriteToken(writer, Session.Token);
        writer.WriteNumber(Session.Epoch);
        writer.WriteNumber(Session.Session);
        writer.WriteNumber(Session.Grants);
        writer.WriteNumber((ulong)Roster.Count);

        foreach (string name in Roster)
        {
            writer.WriteText(name);
        }

        writer.WriteNumber((ulong)Ordinal);
        writer.WriteNumber(Step);
        writer.WriteUInt64(RunConfigHash);
        WriteState(writer);
        writer.WriteUInt64(DigestPoint.Value);
        writer.WriteNumber((ulong)DigestPoint.Grants);
        writer.WriteNumber((ulong)DigestPoint.Deliveries);
        writer.WriteTag(DigestPoint.LastTag);
        writer.WriteUInt64(CommitPoint.Value);
        writer.WriteNumber((ulong)CommitPoint.Count);
        writer.WriteNumber((ulong)CommitPoint.Published);
        writer.WriteUInt64(XxHash64.Hash(0, writer.Written));
        return writer.Written.ToArray();
    }

    private static bool HasChecksum(ReadOnlySpan<byte> bytes)
    {
        FrameReader end = new(bytes[^Math.Min(bytes.Length, sizeof(ulong))..]);
        return end.ReadUInt64() == XxHash64.Hash(0, bytes[..^Math.Min(bytes.Length, sizeof(ulong))]);
    }

    private static List<string> ReadRoster(ref FrameReader reader)
    {
        ulong count = reader.ReadNumber(SequencingRules.MaxMembers);
        List<string> roster = [];

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            roster.Add(reader.ReadText(SequencingRules.MaxNameBytes));
        }

        return roster;
    }

    private static MemberState ReadState(ref FrameReader reader)
    {
        ulong roles = reader.ReadNumber(RoleBits.Known);

        return new MemberState
        {
            Sends = (roles & RoleBits.Sends) != 0,
            Receives = (roles & RoleBits.Receives) != 0,
            Lookahead = reader.ReadDelay(),
            Now = reader.ReadTag(),
            Promise = reader.ReadTag(),
        };
    }

    private void WriteState(FrameWriter writer)
    {
        writer.WriteNumber((State.Sends ? RoleBits.Sends : 0) | (State.Receives ? RoleBits.Receives : 0));
        writer.WriteDelay(State.Lookahead);
        writer.WriteTag(State.Now);
        writer.WriteTag(State.Promise);
    }
}

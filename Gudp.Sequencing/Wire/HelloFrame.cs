using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing.Wire;

/// <summary>Clause: how a member comes into the run.</summary>
internal enum JoinKind : byte
{
    /// <summary>At the start tag (0,0).</summary>
    Start = 0,

    /// <summary>At a tag that is fixed before: by the roster, by a sponsor, or by an observer for itself.</summary>
    At = 1,

    /// <summary>At the smallest tag at which nobody's past can change.</summary>
    Earliest = 2,
}

/// <summary>What a hello with a token says of the session it takes up (clause ).</summary>
/// <param name="Token">What the server gave it.</param>
/// <param name="Epoch">Of the server that gave it.</param>
/// <param name="Session">The session, in the frame's head.</param>
/// <param name="Grants">How many grants the member has, the start grant included.</param>
/// <param name="Names">How many names of members it knows.</param>
internal readonly record struct ResumePoint(UInt128 Token, ulong Epoch, ulong Session, ulong Grants, int Names)
{
    internal bool IsNone => Session == 0;
}

/// <summary>A member introduces itself.</summary>
internal sealed class HelloFrame
{
    internal const int TokenBytes = 16;

    internal ulong Version { get; init; } = RunLayout.ProtocolVersion;
    internal UInt128 RunId { get; init; }
    internal string Name { get; init; } = "";
    internal ulong ConfigHash { get; init; }
    internal ulong Flags { get; init; }
    internal Delay Lookahead { get; init; } = Delay.OneRound;
    internal DeclaredInterest[] Interests { get; init; } = [];
    internal JoinKind Join { get; init; }

    /// <summary>With <see cref="JoinKind.At"/>.</summary>
    internal Tag JoinTag { get; init; }

    internal HistoryStart From { get; init; }

    /// <summary>None for a member that comes for the first time.</summary>
    internal ResumePoint Resume { get; init; }

    internal bool Observes => (Flags & RoleBits.Observes) != 0;

    /// <summary>
    /// What no roster was compared with is a declaration that one could have: known flags and bits, a look-ahead, channels
    /// sorted and named once, and the system channel to publish on for a sponsor alone.
    /// </summary>
    internal bool IsNewcomer
    {
        get
        {
            const InterestBits Known = InterestBits.Publish | InterestBits.Subscribe | InterestBits.Wake;
            bool isWhole = (Flags & ~RoleBits.Known) == 0 && Lookahead >= Delay.OneRound && Name.Length > 0;

            for (int i = 0; i < Interests.Length && isWhole; i++)
            {
                DeclaredInterest interest = Interests[i];
                isWhole = (interest.Bits & ~Known) == 0 && interest.Name.Length > 0
                    && (i == 0 || RunLayout.CompareNames(Interests[i - 1].Name, interest.Name) < 0)
                    && (interest.Name != SystemEvent.Channel || !interest.Bits.HasFlag(InterestBits.Publish)
                        || (Flags & RoleBits.MaySponsor) != 0);
            }

            return isWhole;
        }
    }

    /// <summary>A first hello at the start of the run.</summary>
    internal static void Write(
        FrameWriter writer, UInt128 runId, ulong configHash, MemberDeclaration member,
        DeclaredInterest[] interests)
    {
        HelloFrame hello = new()
        {
            RunId = runId,
            Name = member.Name,
            ConfigHash = configHash,
            Flags = RoleBits.Of(member),
            Lookahead = member.Lookahead,
            Interests = interests,
            Join = member.Join > Tag.Zero ? JoinKind.At : JoinKind.Start,
            JoinTag = member.Join,
        };

        hello.Write(writer);
    }

    internal void Write(FrameWriter writer)
    {
        Span<byte> run = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(run, RunId);

        writer.BeginFrame(FrameType.Hello, Resume.Epoch, Resume.Session);
        writer.WriteNumber(Version);
        writer.WriteBytes(run);
        writer.WriteText(Name);
        WriteToken(writer, Resume.IsNone ? null : Resume.Token);
        writer.WriteUInt64(ConfigHash);
        writer.WriteNumber(Flags);
        writer.WriteDelay(Lookahead);
        writer.WriteNumber((ulong)Interests.Length);

        foreach (DeclaredInterest interest in Interests)
        {
            writer.WriteText(interest.Name);
            writer.WriteNumber((ulong)interest.Bits);
            writer.WriteNumber(interest.Policy.Number);
        }

        writer.WriteNumber((ulong)Join);

        if (Join == JoinKind.At)
        {
            writer.WriteTag(JoinTag);
        }

        WriteFrom(writer);

        if (!Resume.IsNone)
        {
            writer.WriteNumber(Resume.Grants);
            writer.WriteNumber((ulong)Resume.Names);
        }

        writer.EndFrame();
    }

    internal static bool TryRead(in Frame frame, out HelloFrame hello)
    {
        FrameReader reader = new(frame.Body);
        ulong version = reader.ReadNumber();
        ReadOnlySpan<byte> run = reader.ReadBytes(16);
        string name = reader.ReadText(SequencingRules.MaxNameBytes);
        UInt128? token = ReadToken(ref reader);
        ulong configHash = reader.ReadUInt64();
        ulong flags = reader.ReadNumber();
        Delay lookahead = reader.ReadDelay();
        DeclaredInterest[] interests = ReadInterests(ref reader);
        JoinKind join = (JoinKind)reader.ReadNumber((ulong)JoinKind.Earliest);
        Tag joinTag = join == JoinKind.At ? reader.ReadTag() : Tag.Zero;
        HistoryStart from = ReadFrom(ref reader);

        hello = new HelloFrame
        {
            Version = version,
            RunId = run.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(run) : 0,
            Name = name,
            ConfigHash = configHash,
            Flags = flags,
            Lookahead = lookahead,
            Interests = interests,
            Join = join,
            JoinTag = joinTag,
            From = from,
            Resume = token is not UInt128 given ? default : new ResumePoint(
                given, frame.Epoch, frame.Session, reader.ReadNumber(),
                (int)reader.ReadNumber(SequencingRules.MaxMembers)),
        };

        // A token without a session is nobody's.
        return reader.IsComplete && (token is null) == hello.Resume.IsNone;
    }

    internal static void WriteToken(FrameWriter writer, UInt128? token)
    {
        Span<byte> bytes = stackalloc byte[TokenBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, token ?? 0);
        writer.WriteBlock(token is null ? [] : bytes);
    }

    /// <summary>Null: none. Any other length than a token's is malformed.</summary>
    internal static UInt128? ReadToken(ref FrameReader reader)
    {
        ReadOnlySpan<byte> bytes = reader.ReadBlock();

        if (bytes.Length is not (0 or TokenBytes))
        {
            reader.Fail();
        }

        return bytes.Length == TokenBytes ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : null;
    }

    private static DeclaredInterest[] ReadInterests(ref FrameReader reader)
    {
        ulong count = reader.ReadNumber(SequencingRules.MaxInterests);

        // Grown as entries really come: the count alone must not be able to order memory.
        List<DeclaredInterest> interests = [];

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            string name = reader.ReadText(SequencingRules.MaxNameBytes);
            InterestBits bits = (InterestBits)reader.ReadNumber(byte.MaxValue);

            if (!BufferPolicy.TryOf(reader.ReadNumber(), out BufferPolicy policy))
            {
                reader.Fail();
            }

            interests.Add(new DeclaredInterest(name, bits, policy));
        }

        return [.. interests];
    }

    private static HistoryStart ReadFrom(ref FrameReader reader)
        => (HistoryKind)reader.ReadNumber((ulong)HistoryKind.Snapshot) switch
        {
            HistoryKind.Last => HistoryStart.Last(reader.ReadInt32()),
            HistoryKind.Tag => HistoryStart.Since(reader.ReadTag()),
            HistoryKind.Number => HistoryStart.FromNumber((long)reader.ReadNumber()),
            HistoryKind.Snapshot => HistoryStart.Snapshot,
            _ => HistoryStart.Live,
        };

    private void WriteFrom(FrameWriter writer)
    {
        writer.WriteNumber((ulong)From.Kind);

        switch (From.Kind)
        {
            case HistoryKind.Last:
                writer.WriteNumber((ulong)From.Count);
                break;
            case HistoryKind.Tag:
                writer.WriteTag(From.Tag);
                break;
            case HistoryKind.Number:
                writer.WriteNumber((ulong)From.Number);
                break;
            default:
                break;
        }
    }
}

/// <summary>The server takes a member in, or takes up its session (clause ).</summary>
/// <param name="Ordinal">Place in the run's numbering; an observer's is the count of members, and means nothing.</param>
/// <param name="Token">With it the session is taken up on another connection.</param>
/// <param name="Start">The tag of its first grant.</param>
/// <param name="Floor">Nothing is published below it any more.</param>
/// <param name="ConfigHash">Seeds the digests.</param>
internal readonly record struct WelcomeFrame(int Ordinal, UInt128 Token, Tag Start, Tag Floor, ulong ConfigHash)
{
    /// <summary>Over what members cannot see of the configuration (clause ); for records only.</summary>
    internal ulong SettingsHash { get; init; }

    /// <summary>The last commit of the session that counts.</summary>
    internal ulong AppliedStep { get; init; }

    /// <summary>The last commit of the session that no failure takes back.</summary>
    internal ulong DurableStep { get; init; }

    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Welcome, epoch, session);
        writer.WriteNumber((ulong)Ordinal);
        HelloFrame.WriteToken(writer, Token);
        writer.WriteNumber(epoch);
        writer.WriteTag(Start);
        writer.WriteTag(Floor);
        writer.WriteUInt64(ConfigHash);

        // Kept range of the log, and grants to replay.
        writer.WriteNumber(0);
        writer.WriteNumber(0);
        writer.WriteNumber(0);
        writer.WriteNumber(AppliedStep);
        writer.WriteNumber(DurableStep);
        writer.WriteUInt64(SettingsHash);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out WelcomeFrame welcome)
    {
        FrameReader reader = new(body);
        int ordinal = reader.ReadInt32();
        UInt128? token = HelloFrame.ReadToken(ref reader);
        reader.ReadNumber();
        welcome = new WelcomeFrame(ordinal, token ?? 0, reader.ReadTag(), reader.ReadTag(), reader.ReadUInt64());
        reader.ReadNumber();
        reader.ReadNumber();
        reader.ReadNumber();
        welcome = welcome with
        {
            AppliedStep = reader.ReadNumber(),
            DurableStep = reader.ReadNumber(),
            SettingsHash = reader.ReadUInt64(),
        };

        return reader.IsComplete && token is not null;
    }
}

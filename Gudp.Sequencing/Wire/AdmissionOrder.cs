using System;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Wire;

/// <summary>
/// What a sponsor publishes to admit a member: the news, with the join tag that is also its arrival, and after it the
/// hello that the member will say (clause ).
/// </summary>
internal readonly record struct AdmissionOrder(HelloFrame Hello, CrashPolicy CrashPolicy)
{
    internal Tag Join => Hello.JoinTag;

    /// <summary>Where it stands in the run as a message, which is the same in every execution.</summary>
    internal DeliveryKey Place { get; init; }

    internal static void Write(FrameWriter writer, MemberDeclaration declaration, UInt128 runId)
    {
        new SystemEvent(SystemEventKind.Admitted, declaration.Name, declaration.Join).Write(writer);
        HelloFrame.Write(writer, runId, 0, declaration, Config.RunLayout.InterestsOf(declaration));
        writer.WriteNumber((ulong)declaration.CrashPolicy);
    }

    internal static bool TryRead(ReadOnlySpan<byte> payload, out AdmissionOrder order)
    {
        FrameReader reader = new(payload);
        SystemEventKind kind = (SystemEventKind)reader.ReadByte();
        string name = reader.ReadText(Config.SequencingRules.MaxNameBytes);
        Tag join = reader.ReadTag();
        order = default;

        if (!Frame.TryNext(ref reader, out Frame frame) || !HelloFrame.TryRead(in frame, out HelloFrame hello))
        {
            return false;
        }

        order = new AdmissionOrder(hello, (CrashPolicy)reader.ReadNumber((ulong)CrashPolicy.Abort));

        return reader.IsComplete && kind == SystemEventKind.Admitted && name == hello.Name && join == hello.JoinTag
            && name.Length > 0 && hello.Join == JoinKind.At && hello.Resume.IsNone && !hello.Observes
            && hello.IsNewcomer && (hello.Flags & RoleBits.MayStop) == 0;
    }
}

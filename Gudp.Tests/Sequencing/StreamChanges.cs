using Gudp.Core;
using Gudp.Sequencing.Wire;

namespace Gudp.Tests.Sequencing;

/// <summary>What a hostile server, or a broken one, makes of a stream that was right.</summary>
internal static class StreamChanges
{
    private const int Kinds = 10;

    /// <summary>A copy with up to three changes.</summary>
    internal static List<ServerStreamStep> Of(IReadOnlyList<ServerStreamStep> steps, Prng random)
    {
        List<ServerStreamStep> changed = [.. steps];
        int changes = 1 + Below(random, 3);

        for (int i = 0; i < changes && changed.Exists(step => step.Message?.Length > 0); i++)
        {
            Change(changed, random);
        }

        return changed;
    }

    private static void Change(List<ServerStreamStep> steps, Prng random)
    {
        int[] messages = [.. Enumerable.Range(0, steps.Count).Where(i => steps[i].Message?.Length > 0)];
        int at = messages[Below(random, messages.Length)];
        byte[] message = [.. steps[at].Message!];
        int place = Below(random, message.Length);
        int other = messages[Below(random, messages.Length)];

        switch (Below(random, Kinds))
        {
            case 0:
                steps[at] = new ServerStreamStep(message[..place], null);
                break;
            case 1:
                message[place] ^= (byte)(1 << Below(random, 8));
                steps[at] = new ServerStreamStep(message, null);
                break;
            case 2:
                // The largest number there is, in the place of whatever stood there.
                message.AsSpan(place, Math.Min(8, message.Length - place)).Fill(0xFF);
                steps[at] = new ServerStreamStep(message, null);
                break;
            case 3:
                steps.Insert(at, steps[at]);
                break;
            case 4:
                steps.RemoveAt(at);
                break;
            case 5:
                (steps[at], steps[other]) = (steps[other], steps[at]);
                break;
            case 6:
                steps.Insert(other, steps[at]);
                break;
            case 7:
                message[0] = (byte)(0x80 + Below(random, 0x14));
                steps[at] = new ServerStreamStep(message, null);
                break;
            case 8:
                steps[at] = new ServerStreamStep([.. message[..place], .. message], null);
                break;
            default:
                steps.Insert(at, new ServerStreamStep(Extreme(random), null));
                break;
        }
    }

    // A frame of any type that is a frame, its body made of numbers at the ends of their ranges.
    private static byte[] Extreme(Prng random)
    {
        FrameWriter writer = new();
        writer.BeginFrame((FrameType)(0x80 + Below(random, 0x14)), 1, 1);

        for (int fields = Below(random, 12); fields > 0; fields--)
        {
            switch (Below(random, 5))
            {
                case 0:
                    writer.WriteNumber(VarInt.MaxValue);
                    break;
                case 1:
                    writer.WriteUInt64(ulong.MaxValue >> Below(random, 2));
                    break;
                case 2:
                    writer.WriteUInt64(1UL << 63);
                    break;
                case 3:
                    writer.WriteText("m");
                    break;
                default:
                    writer.WriteNumber((ulong)Below(random, 4));
                    break;
            }
        }

        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static int Below(Prng random, int limit) => (int)random.NextBelow(limit);
}

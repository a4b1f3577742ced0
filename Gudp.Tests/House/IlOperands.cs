using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Gudp.Tests.House;

/// <summary>The metadata tokens in a method's instructions: what the code calls, reads, writes and makes.</summary>
internal static class IlOperands
{
    private const byte TwoBytePrefix = 0xFE;

    private static readonly OperandType[] OneByteCodes = new OperandType[256];
    private static readonly OperandType[] TwoByteCodes = new OperandType[256];

    static IlOperands()
    {
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            OpCode code = (OpCode)field.GetValue(null)!;
            OperandType[] codes = code.Size == 1 ? OneByteCodes : TwoByteCodes;
            codes[code.Value & 0xFF] = code.OperandType;
        }
    }

    internal static IEnumerable<EntityHandle> Of(BlobReader il)
    {
        List<EntityHandle> found = [];

        while (il.RemainingBytes > 0)
        {
            byte first = il.ReadByte();
            OperandType operand = first == TwoBytePrefix ? TwoByteCodes[il.ReadByte()] : OneByteCodes[first];

            switch (operand)
            {
                case OperandType.InlineField:
                case OperandType.InlineMethod:
                case OperandType.InlineTok:
                case OperandType.InlineType:
                    found.Add(MetadataTokens.EntityHandle(il.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int targets = il.ReadInt32();
                    il.Offset += targets * sizeof(int);
                    break;
                default:
                    il.Offset += SizeOf(operand);
                    break;
            }
        }

        return found;
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}

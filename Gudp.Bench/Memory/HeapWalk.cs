using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gudp.Bench.Memory;

// Every object that can be reached from some roots, counted once, by type. Sizes are the runtime's own: what its type
// says an object takes, and for arrays and texts the elements besides.

/// <summary>Adds up objects by type, from roots on. A cold path: it goes by reflection.</summary>
internal sealed class HeapWalk
{
    // Of a method table, in every runtime since .NET Core: the size of an element, then that of the object without them.
    private const int ElementSizeAt = 0;
    private const int ObjectSizeAt = 4;
    private const int Alignment = 8;

    private static readonly ConcurrentDictionary<Type, FieldInfo[]> Fields = [];
    private static readonly ConcurrentDictionary<Type, bool> Referring = [];

    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<object> _open = new();
    private readonly Dictionary<Type, (long Objects, long Bytes)> _sums = [];

    /// <summary>Objects and bytes by type.</summary>
    internal IReadOnlyDictionary<Type, (long Objects, long Bytes)> Sums => _sums;

    internal long Bytes => _sums.Values.Sum(sum => sum.Bytes);

    internal void Add(object root)
    {
        Push(root);

        while (_open.TryPop(out object? next))
        {
            Count(next);
            Follow(next);
        }
    }

    private static bool IsOutside(Type type)
        => typeof(MemberInfo).IsAssignableFrom(type) || type.Namespace is { } space
            && (space.StartsWith("System.Threading", StringComparison.Ordinal)
                || space.StartsWith("System.Reflection", StringComparison.Ordinal)
                || space.StartsWith("System.Diagnostics", StringComparison.Ordinal));

    private void Push(object? item)
    {
        if (item is not null && !IsFollowedNot(item) && _seen.Add(item))
        {
            _open.Push(item);
        }
    }

    // Threads and what the runtime keeps about code lead everywhere.
    private static bool IsFollowedNot(object item)
        => item is Thread or Task || (IsOutside(item.GetType()) && item is not Lock and not TaskCompletionSource);

    private void Count(object item)
    {
        Type type = item.GetType();
        long bytes = Marshal.ReadInt32(type.TypeHandle.Value, ObjectSizeAt);

        if (item is Array array)
        {
            bytes += (long)(ushort)Marshal.ReadInt16(type.TypeHandle.Value, ElementSizeAt) * array.Length;
        }
        else if (item is string text)
        {
            bytes += sizeof(char) * text.Length;
        }

        bytes = (bytes + Alignment - 1) / Alignment * Alignment;
        (long objects, long before) = _sums.GetValueOrDefault(type);
        _sums[type] = (objects + 1, before + bytes);
    }

    private void Follow(object item)
    {
        Type type = item.GetType();

        if (item is Array array)
        {
            if (Refers(type.GetElementType()!))
            {
                foreach (object? element in array)
                {
                    FollowValue(element);
                }
            }

            return;
        }

        foreach (FieldInfo field in FieldsOf(type))
        {
            FollowValue(field.GetValue(item));
        }
    }

    // A struct is looked through in its box, which is nobody's.
    private void FollowValue(object? value)
    {
        if (value is not ValueType)
        {
            Push(value);
            return;
        }

        foreach (FieldInfo field in FieldsOf(value.GetType()))
        {
            FollowValue(field.GetValue(value));
        }
    }

    private static FieldInfo[] FieldsOf(Type type) => Fields.GetOrAdd(type, static type =>
    {
        List<FieldInfo> fields = [];

        for (Type? declaring = type; declaring is not null; declaring = declaring.BaseType)
        {
            fields.AddRange(declaring
                .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(field => Refers(field.FieldType)));
        }

        return [.. fields];
    });

    private static bool Refers(Type type)
    {
        if (type.IsPointer || type.IsByRefLike || type.IsPrimitive || type.IsEnum)
        {
            return false;
        }

        return !type.IsValueType || Referring.GetOrAdd(type, static type => type
            .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Any(field => field.FieldType != type && Refers(field.FieldType)));
    }
}

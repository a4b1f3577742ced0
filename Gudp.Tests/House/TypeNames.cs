using System.Reflection;
using System.Runtime.CompilerServices;

namespace Gudp.Tests.House;

/// <summary>Names of types as C# writes them, with nullability and without namespaces.</summary>
internal static class TypeNames
{
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(char)] = "char",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
        [typeof(void)] = "void",
    };

    /// <summary>The type of a parameter or a result, with how it is passed.</summary>
    internal static string Of(ParameterInfo parameter)
    {
        string passed = parameter switch
        {
            { IsOut: true, ParameterType.IsByRef: true } => "out ",
            { ParameterType.IsByRef: true } when parameter.IsDefined(typeof(IsReadOnlyAttribute)) => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) => "params ",
            _ => "",
        };

        return passed + Of(parameter.ParameterType, Nullability.Create(parameter));
    }

    internal static string Of(Type type, NullabilityInfo? nullability = null)
    {
        if (type.IsByRef)
        {
            return Of(type.GetElementType()!, nullability);
        }

        if (Nullable.GetUnderlyingType(type) is Type underlying)
        {
            return Of(underlying) + "?";
        }

        bool mayBeNull = NullabilityState.Nullable == nullability?.ReadState
            || NullabilityState.Nullable == nullability?.WriteState;
        return NameOf(type, nullability) + (mayBeNull && !type.IsValueType ? "?" : "");
    }

    /// <summary>The name with its generic parameters, and the types it is nested in.</summary>
    internal static string OfDeclaration(Type type)
    {
        string outer = type.DeclaringType is Type declaring ? OfDeclaration(declaring) + "." : "";
        Type[] own = OwnArguments(type);
        return outer + Simple(type) + (own.Length > 0 ? ParametersOf(own) + ConstraintsOf(own) : "");
    }

    internal static string Simple(Type type) => type.Name.Split('`')[0];

    internal static string ParametersOf(Type[] arguments)
        => $"<{string.Join(", ", arguments.Select(argument => argument.Name))}>";

    internal static string ConstraintsOf(Type[] arguments) => string.Concat(arguments.Select(ConstraintOf));

    private static string ConstraintOf(Type argument)
    {
        GenericParameterAttributes attributes = argument.GenericParameterAttributes;
        List<string> constraints = [];

        if (attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint))
        {
            constraints.Add("struct");
        }
        else if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            constraints.Add("class");
        }

        constraints.AddRange(argument.GetGenericParameterConstraints()
            .Where(constraint => constraint != typeof(ValueType))
            .Select(constraint => Of(constraint)));

        if (attributes.HasFlag(GenericParameterAttributes.AllowByRefLike))
        {
            constraints.Add("allows ref struct");
        }

        return constraints.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", constraints)}";
    }

    private static string NameOf(Type type, NullabilityInfo? nullability)
    {
        if (Keywords.TryGetValue(type, out string? keyword))
        {
            return keyword;
        }

        if (type.IsArray)
        {
            return Of(type.GetElementType()!, nullability?.ElementType) + "[]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        string outer = type.DeclaringType is Type declaring ? Of(declaring) + "." : "";

        if (!type.IsGenericType)
        {
            return outer + type.Name;
        }

        string arguments = string.Join(", ", type.GetGenericArguments()
            .Select((argument, index) => Of(argument, nullability?.GenericTypeArguments.ElementAtOrDefault(index))));
        return typeof(ITuple).IsAssignableFrom(type) ? $"({arguments})" : $"{outer}{Simple(type)}<{arguments}>";
    }

    private static Type[] OwnArguments(Type type)
        => type.GetGenericArguments()[(type.DeclaringType?.GetGenericArguments().Length ?? 0)..];
}

using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gudp.Tests.House;

/// <summary>What a library shows to its users, as sorted lines that read like C#.</summary>
/// <remarks>What the compiler writes for every record (equality, printing, deconstruction) is left out.</remarks>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    internal static string Describe(Assembly assembly)
    {
        StringBuilder text = new();

        foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(HeadOf(type)).Append('\n');

            foreach (string member in MembersOf(type))
            {
                text.Append("    ").Append(member).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string HeadOf(Type type)
    {
        string name = $"{type.Namespace}.{TypeNames.OfDeclaration(type)}";

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"delegate {TypeNames.Of(invoke.ReturnParameter)} {name}({ParametersOf(invoke)})";
        }

        string bases = string.Join(", ", BasesOf(type).Order(StringComparer.Ordinal));
        return $"{KindOf(type)} {name}{(bases.Length > 0 ? " : " + bases : "")}";
    }

    private static string KindOf(Type type)
    {
        if (type.IsEnum)
        {
            return type.IsDefined(typeof(FlagsAttribute)) ? "[Flags] enum" : "enum";
        }

        if (type.IsInterface)
        {
            return "interface";
        }

        string record = type.GetMethod("PrintMembers", Declared) is not null ? "record " : "";

        if (type.IsValueType)
        {
            string readOnly = type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "";
            return $"{readOnly}{(type.IsByRefLike ? "ref " : "")}{record}struct";
        }

        string kind = (type.IsAbstract, type.IsSealed) switch
        {
            (true, true) => "static ",
            (true, false) => "abstract ",
            (false, true) => "sealed ",
            _ => "",
        };

        return $"{kind}{record}class";
    }

    private static IEnumerable<string> BasesOf(Type type)
    {
        if (type.IsEnum)
        {
            yield return TypeNames.Of(Enum.GetUnderlyingType(type));
            yield break;
        }

        if (type is { IsClass: true, BaseType: Type parent } && parent != typeof(object))
        {
            yield return TypeNames.Of(parent);
        }

        foreach (Type contract in type.GetInterfaces())
        {
            bool isInherited = type.BaseType?.GetInterfaces().Contains(contract) == true
                || type.GetInterfaces().Any(other => other.GetInterfaces().Contains(contract));

            if (!isInherited && contract.IsVisible && !IsEquality(contract))
            {
                yield return TypeNames.Of(contract);
            }
        }
    }

    private static bool IsEquality(Type contract)
        => contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IEquatable<>);

    private static IEnumerable<string> MembersOf(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            return [];
        }

        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => string.Create(
                CultureInfo.InvariantCulture, $"{field.Name} = {field.GetRawConstantValue()}"));
        }

        return type.GetMembers(Declared)
            .Where(IsShown)
            .Select(Describe)
            .OfType<string>()
            .Order(StringComparer.Ordinal);
    }

    private static bool IsShown(MemberInfo member) => member switch
    {
        FieldInfo field => IsShown(field.Attributes),
        ConstructorInfo constructor => IsShown(constructor),
        MethodInfo method => IsShown(method)
            && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            && !method.IsDefined(typeof(CompilerGeneratedAttribute)),
        PropertyInfo property => property.GetAccessors(true).Any(IsShown) && property.Name != "EqualityContract",
        EventInfo happening => happening.AddMethod is MethodInfo add && IsShown(add),
        _ => false,
    };

    private static bool IsShown(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsShown(FieldAttributes attributes)
        => (attributes & FieldAttributes.FieldAccessMask)
            is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;

    private static string? Describe(MemberInfo member) => member switch
    {
        FieldInfo field => DescribeField(field),
        ConstructorInfo constructor => $"{TypeNames.Simple(constructor.DeclaringType!)}({ParametersOf(constructor)})",
        MethodInfo method => DescribeMethod(method),
        PropertyInfo property => DescribeProperty(property),
        EventInfo happening => $"event {TypeNames.Of(happening.EventHandlerType!)} {happening.Name}",
        _ => null,
    };

    private static string DescribeField(FieldInfo field)
    {
        string type = TypeNames.Of(field.FieldType, Nullability.Create(field));

        return field.IsLiteral
            ? $"const {type} {field.Name} = {Literal(field.GetRawConstantValue())}"
            : $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{type} {field.Name}";
    }

    private static string DescribeMethod(MethodInfo method)
    {
        string result = TypeNames.Of(method.ReturnParameter);
        string generics = method.IsGenericMethod ? TypeNames.ParametersOf(method.GetGenericArguments()) : "";
        string constraints = method.IsGenericMethod ? TypeNames.ConstraintsOf(method.GetGenericArguments()) : "";

        return $"{ModifiersOf(method)}{result} {method.Name}{generics}({ParametersOf(method)}){constraints}";
    }

    private static string DescribeProperty(PropertyInfo property)
    {
        MethodInfo[] accessors = [.. property.GetAccessors(true).Where(IsShown)];
        string type = TypeNames.Of(property.PropertyType, Nullability.Create(property));
        string name = property.GetIndexParameters().Length > 0
            ? $"this[{string.Join(", ", property.GetIndexParameters().Select(DescribeParameter))}]"
            : property.Name;

        IEnumerable<string> verbs = accessors
            .Select(accessor => accessor.ReturnType != typeof(void) ? "get;" : IsInit(accessor) ? "init;" : "set;")
            .Order(StringComparer.Ordinal);

        return $"{ModifiersOf(accessors[0])}{type} {name} {{ {string.Join(" ", verbs)} }}";
    }

    private static bool IsInit(MethodInfo setter)
        => setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static string ModifiersOf(MethodInfo method)
    {
        string reach = method.IsPublic ? "" : "protected ";
        bool isNew = method.GetBaseDefinition() == method;
        bool isInInterface = method.DeclaringType!.IsInterface;

        string kind = method switch
        {
            { IsStatic: true } => "static ",
            { IsAbstract: true } when !isInInterface => "abstract ",
            { IsVirtual: true } when !isNew => "override ",
            { IsVirtual: true, IsFinal: false } when !isInInterface && !method.DeclaringType.IsSealed => "virtual ",
            _ => "",
        };

        return reach + kind;
    }

    private static string ParametersOf(MethodBase method)
        => string.Join(", ", method.GetParameters().Select(DescribeParameter));

    private static string DescribeParameter(ParameterInfo parameter)
    {
        string value = parameter.HasDefaultValue ? $" = {Literal(parameter.RawDefaultValue)}" : "";
        return $"{TypeNames.Of(parameter)} {parameter.Name}{value}";
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}

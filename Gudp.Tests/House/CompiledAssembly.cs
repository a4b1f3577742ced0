using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Gudp.Tests.House;

/// <summary>A type something refers to; a nested type counts as the type around it.</summary>
internal readonly record struct TypeUse(string Assembly, string Namespace, string Name) : IComparable<TypeUse>
{
    internal string FullName => Namespace.Length == 0 ? Name : $"{Namespace}.{Name}";

    public int CompareTo(TypeUse other) => string.CompareOrdinal(FullName, other.FullName);

    public override string ToString() => FullName;
}

/// <summary>A type of the assembly with everything that it and the types nested in it refer to.</summary>
/// <param name="Self">Its name.</param>
/// <param name="Folder">Where its source lies in the project, such as "Engine"; empty for the project's root.</param>
/// <param name="IsValueType">A struct or an enum.</param>
/// <param name="Uses">Types in signatures, fields, bases and method bodies; attributes are left out.</param>
internal sealed record CompiledType(TypeUse Self, string Folder, bool IsValueType, IReadOnlySet<TypeUse> Uses);

/// <summary>What one of our assemblies refers to, read from its metadata and IL without loading it.</summary>
internal sealed class CompiledAssembly
{
    private readonly MetadataReader _metadata;
    private readonly PEReader _file;
    private readonly SourceFolders _folders;
    private readonly UseCollector _collector;

    private CompiledAssembly(string name, PEReader file, SourceFolders folders)
    {
        Name = name;
        _file = file;
        _metadata = file.GetMetadataReader();
        _folders = folders;
        _collector = new UseCollector(_metadata);

        References = [.. _metadata.AssemblyReferences
            .Select(handle => _metadata.GetString(_metadata.GetAssemblyReference(handle).Name))
            .Order(StringComparer.Ordinal)];

        Types = [.. _metadata.TypeDefinitions
            .Where(handle => !_metadata.GetTypeDefinition(handle).IsNested)
            .Select(ReadType)
            .OfType<CompiledType>()
            .OrderBy(type => type.Self)];
    }

    internal string Name { get; }

    internal IReadOnlyList<string> References { get; }

    internal IReadOnlyList<CompiledType> Types { get; }

    /// <summary>Reads the assembly and its symbols from beside the tests.</summary>
    internal static CompiledAssembly Read(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, name);
        using PEReader file = new([.. File.ReadAllBytes(path + ".dll")]);
        using SourceFolders folders = SourceFolders.Read(path + ".pdb", name);
        return new CompiledAssembly(name, file, folders);
    }

    // Null for what the compiler or a generator wrote.
    private CompiledType? ReadType(TypeDefinitionHandle handle)
    {
        if (_folders.Of(_metadata, handle) is not string folder)
        {
            return null;
        }

        HashSet<TypeUse> uses = [];
        CollectType(handle, uses);

        TypeUse self = _collector.Outermost(handle);
        uses.Remove(self);

        return new CompiledType(self, folder, IsValueType(handle), uses);
    }

    private bool IsValueType(TypeDefinitionHandle handle)
    {
        EntityHandle parent = _metadata.GetTypeDefinition(handle).BaseType;
        return !parent.IsNil && _collector.Outermost(parent).FullName is "System.ValueType" or "System.Enum";
    }

    private void CollectType(TypeDefinitionHandle handle, HashSet<TypeUse> uses)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);

        _collector.Collect(type.BaseType, uses);

        foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
        {
            _collector.Collect(_metadata.GetInterfaceImplementation(implementation).Interface, uses);
        }

        foreach (FieldDefinitionHandle field in type.GetFields())
        {
            uses.UnionWith(_metadata.GetFieldDefinition(field).DecodeSignature(_collector, null));
        }

        foreach (EventDefinitionHandle happening in type.GetEvents())
        {
            _collector.Collect(_metadata.GetEventDefinition(happening).Type, uses);
        }

        CollectConstraints(type.GetGenericParameters(), uses);

        foreach (MethodDefinitionHandle method in type.GetMethods())
        {
            CollectMethod(_metadata.GetMethodDefinition(method), uses);
        }

        foreach (TypeDefinitionHandle nested in type.GetNestedTypes())
        {
            CollectType(nested, uses);
        }
    }

    private void CollectConstraints(GenericParameterHandleCollection parameters, HashSet<TypeUse> uses)
    {
        foreach (GenericParameterHandle parameter in parameters)
        {
            foreach (GenericParameterConstraintHandle one in _metadata.GetGenericParameter(parameter).GetConstraints())
            {
                _collector.Collect(_metadata.GetGenericParameterConstraint(one).Type, uses);
            }
        }
    }

    private void CollectMethod(MethodDefinition method, HashSet<TypeUse> uses)
    {
        CollectSignature(method.DecodeSignature(_collector, null), uses);
        CollectConstraints(method.GetGenericParameters(), uses);

        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }

        MethodBodyBlock body = _file.GetMethodBody(method.RelativeVirtualAddress);

        if (!body.LocalSignature.IsNil)
        {
            foreach (ImmutableHashSet<TypeUse> local in
                _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(_collector, null))
            {
                uses.UnionWith(local);
            }
        }

        foreach (ExceptionRegion region in body.ExceptionRegions)
        {
            _collector.Collect(region.CatchType, uses);
        }

        foreach (EntityHandle operand in IlOperands.Of(body.GetILReader()))
        {
            CollectOperand(operand, uses);
        }
    }

    private void CollectOperand(EntityHandle operand, HashSet<TypeUse> uses)
    {
        switch (operand.Kind)
        {
            case HandleKind.MemberReference:
                _collector.Collect(_metadata.GetMemberReference((MemberReferenceHandle)operand).Parent, uses);
                break;
            case HandleKind.MethodDefinition:
                uses.Add(_collector.Outermost(
                    _metadata.GetMethodDefinition((MethodDefinitionHandle)operand).GetDeclaringType()));
                break;
            case HandleKind.FieldDefinition:
                uses.Add(_collector.Outermost(
                    _metadata.GetFieldDefinition((FieldDefinitionHandle)operand).GetDeclaringType()));
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification generic = _metadata.GetMethodSpecification((MethodSpecificationHandle)operand);
                CollectOperand(generic.Method, uses);

                foreach (ImmutableHashSet<TypeUse> argument in generic.DecodeSignature(_collector, null))
                {
                    uses.UnionWith(argument);
                }

                break;
            default:
                _collector.Collect(operand, uses);
                break;
        }
    }

    private static void CollectSignature(MethodSignature<ImmutableHashSet<TypeUse>> signature, HashSet<TypeUse> uses)
    {
        uses.UnionWith(signature.ReturnType);

        foreach (ImmutableHashSet<TypeUse> parameter in signature.ParameterTypes)
        {
            uses.UnionWith(parameter);
        }
    }
}

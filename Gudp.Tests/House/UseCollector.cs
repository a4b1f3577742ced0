using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Gudp.Tests.House;

/// <summary>Turns handles and signatures into the types they name.</summary>
internal sealed class UseCollector : ISignatureTypeProvider<ImmutableHashSet<TypeUse>, object?>
{
    private static readonly ImmutableHashSet<TypeUse> Nothing = [];

    private readonly MetadataReader _metadata;
    private readonly string _assembly;

    internal UseCollector(MetadataReader metadata)
    {
        _metadata = metadata;
        _assembly = metadata.GetString(metadata.GetAssemblyDefinition().Name);
    }

    internal void Collect(EntityHandle handle, HashSet<TypeUse> uses)
    {
        if (handle.IsNil)
        {
            return;
        }

        if (handle.Kind == HandleKind.TypeSpecification)
        {
            TypeSpecification type = _metadata.GetTypeSpecification((TypeSpecificationHandle)handle);
            uses.UnionWith(type.DecodeSignature(this, null));
            return;
        }

        uses.Add(Outermost(handle));
    }

    /// <summary>The type the handle names; for a nested one the type around it.</summary>
    internal TypeUse Outermost(EntityHandle handle) => handle.Kind switch
    {
        HandleKind.TypeDefinition => Outermost((TypeDefinitionHandle)handle),
        HandleKind.TypeReference => Outermost((TypeReferenceHandle)handle),
        _ => throw new InvalidOperationException($"{handle.Kind} does not name a type."),
    };

    public ImmutableHashSet<TypeUse> GetTypeFromDefinition(
        MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        => [Outermost(handle)];

    public ImmutableHashSet<TypeUse> GetTypeFromReference(
        MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        => [Outermost(handle)];

    public ImmutableHashSet<TypeUse> GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind)
        => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public ImmutableHashSet<TypeUse> GetGenericInstantiation(
        ImmutableHashSet<TypeUse> genericType, ImmutableArray<ImmutableHashSet<TypeUse>> typeArguments)
        => typeArguments.Aggregate(genericType, (all, one) => all.Union(one));

    public ImmutableHashSet<TypeUse> GetFunctionPointerType(MethodSignature<ImmutableHashSet<TypeUse>> signature)
        => signature.ParameterTypes.Aggregate(signature.ReturnType, (all, one) => all.Union(one));

    public ImmutableHashSet<TypeUse> GetModifiedType(
        ImmutableHashSet<TypeUse> modifier, ImmutableHashSet<TypeUse> unmodifiedType, bool isRequired)
        => unmodifiedType;

    public ImmutableHashSet<TypeUse> GetArrayType(ImmutableHashSet<TypeUse> elementType, ArrayShape shape)
        => elementType;

    public ImmutableHashSet<TypeUse> GetByReferenceType(ImmutableHashSet<TypeUse> elementType) => elementType;

    public ImmutableHashSet<TypeUse> GetPinnedType(ImmutableHashSet<TypeUse> elementType) => elementType;

    public ImmutableHashSet<TypeUse> GetPointerType(ImmutableHashSet<TypeUse> elementType) => elementType;

    public ImmutableHashSet<TypeUse> GetSZArrayType(ImmutableHashSet<TypeUse> elementType) => elementType;

    public ImmutableHashSet<TypeUse> GetGenericMethodParameter(object? genericContext, int index) => Nothing;

    public ImmutableHashSet<TypeUse> GetGenericTypeParameter(object? genericContext, int index) => Nothing;

    public ImmutableHashSet<TypeUse> GetPrimitiveType(PrimitiveTypeCode typeCode) => Nothing;

    private TypeUse Outermost(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);

        while (type.IsNested)
        {
            type = _metadata.GetTypeDefinition(type.GetDeclaringType());
        }

        return new TypeUse(_assembly, _metadata.GetString(type.Namespace), _metadata.GetString(type.Name));
    }

    private TypeUse Outermost(TypeReferenceHandle handle)
    {
        TypeReference type = _metadata.GetTypeReference(handle);

        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            type = _metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        }

        AssemblyReference assembly = _metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope);
        return new TypeUse(
            _metadata.GetString(assembly.Name), _metadata.GetString(type.Namespace), _metadata.GetString(type.Name));
    }
}

using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Gudp.Tests.House;

/// <summary>
/// Which folder of its project a type's source lies in, from the portable symbols. Namespaces do not tell: public types
/// live in their library's root namespace, whatever their folder.
/// </summary>
internal sealed class SourceFolders : IDisposable
{
    // Portable PDB, "Type Definition Documents": the files of a type that has no method with a body.
    private static readonly Guid TypeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly MetadataReaderProvider _provider;
    private readonly MetadataReader _symbols;
    private readonly string _project;

    private SourceFolders(MetadataReaderProvider provider, string project)
    {
        _provider = provider;
        _symbols = provider.GetMetadataReader();
        _project = project;
    }

    internal static SourceFolders Read(string path, string project)
        => new(MetadataReaderProvider.FromPortablePdbImage([.. File.ReadAllBytes(path)]), project);

    /// <returns>The folder; empty for the project's root; null for what the compiler or a generator wrote.</returns>
    internal string? Of(MetadataReader metadata, TypeDefinitionHandle type)
    {
        string marker = $"/{_project}/";

        foreach (string document in DocumentsOf(metadata, type))
        {
            string path = document.Replace('\\', '/');
            int start = path.LastIndexOf(marker, StringComparison.Ordinal);
            string relative = start < 0 ? "obj/" : path[(start + marker.Length)..];

            if (!relative.StartsWith("obj/", StringComparison.Ordinal))
            {
                int end = relative.IndexOf('/', StringComparison.Ordinal);
                return end < 0 ? "" : relative[..end];
            }
        }

        return null;
    }

    public void Dispose() => _provider.Dispose();

    private IEnumerable<string> DocumentsOf(MetadataReader metadata, TypeDefinitionHandle type)
    {
        foreach (CustomDebugInformationHandle handle in _symbols.GetCustomDebugInformation(type))
        {
            CustomDebugInformation information = _symbols.GetCustomDebugInformation(handle);

            if (_symbols.GetGuid(information.Kind) == TypeDocuments)
            {
                int row = _symbols.GetBlobReader(information.Value).ReadCompressedInteger();
                yield return NameOf(MetadataTokens.DocumentHandle(row));
            }
        }

        foreach (MethodDefinitionHandle method in metadata.GetTypeDefinition(type).GetMethods())
        {
            MethodDebugInformation information = _symbols.GetMethodDebugInformation(method.ToDebugInformationHandle());

            if (!information.Document.IsNil)
            {
                yield return NameOf(information.Document);
            }
        }
    }

    private string NameOf(DocumentHandle handle) => _symbols.GetString(_symbols.GetDocument(handle).Name);
}

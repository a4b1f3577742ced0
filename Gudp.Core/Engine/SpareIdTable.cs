using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace Gudp.Core.Engine;

/// <summary>
/// Routes the ids that connections of one endpoint have given their peers to spare. Bounded: each connection holds at
/// most <see cref="ConnectionIds.MostSpare"/>. Owned by the leader.
/// </summary>
internal sealed class SpareIdTable
{
    private readonly Dictionary<ulong, ConnectionEngine> _byId = [];

    internal int Count => _byId.Count;

    internal bool TryFind(ulong id, [NotNullWhen(true)] out ConnectionEngine? connection)
        => _byId.TryGetValue(id, out connection);

    internal bool Contains(ulong id) => _byId.ContainsKey(id);

    /// <returns>False if the id is taken; draw another.</returns>
    internal bool TryAdd(ulong id, ConnectionEngine connection) => _byId.TryAdd(id, connection);

    internal void Remove(ulong id) => _byId.Remove(id);
}

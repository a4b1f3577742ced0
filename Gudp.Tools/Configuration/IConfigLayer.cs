using Gudp.Core;

namespace Gudp.Tools.Configuration;

/// <summary>The config of one layer, as <c>gudp config</c> shows it; values as entries of key and text.</summary>
internal interface IConfigLayer
{
    /// <summary>As the option <c>--layer</c> names it.</summary>
    string Name { get; }

    IEnumerable<ConfigKey> Keys { get; }

    IEnumerable<string> PresetNames { get; }

    /// <summary>The key of that name, also by its last part.</summary>
    /// <exception cref="GudpConfigException">There is none.</exception>
    ConfigKey Find(string key);

    /// <summary>Reads the sources one on top of the other.</summary>
    /// <exception cref="GudpConfigException">Lists the problems of all of them.</exception>
    IReadOnlyDictionary<string, string> Read(IEnumerable<ConfigSource> sources);
}

using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tools.Configuration;

/// <summary>A layer's config through its table of keys.</summary>
internal sealed class ConfigLayer<TConfig>(string name, ConfigTable<TConfig> table) : IConfigLayer
    where TConfig : struct
{
    public string Name => name;

    public IEnumerable<ConfigKey> Keys => table.Keys;

    public IEnumerable<string> PresetNames => table.PresetNames;

    public ConfigKey Find(string key) => table.Find(key);

    public IReadOnlyDictionary<string, string> Read(IEnumerable<ConfigSource> sources)
    {
        TConfig config = default;
        List<string> problems = [];

        foreach (ConfigSource source in sources)
        {
            try
            {
                config = source.Kind switch
                {
                    ConfigSourceKind.Preset => table.FromPreset(source.Text),
                    ConfigSourceKind.Json => table.FromConfiguration(JsonEntries.Read(source.Text), "", config),
                    _ => table.Parse(source.Text, config),
                };
            }
            catch (GudpConfigException refused)
            {
                // The next source is looked at all the same: one run shows all mistakes.
                problems.AddRange(refused.Problems.Except(problems));
            }
        }

        return problems.Count == 0
            ? table.ToDictionary(config)
            : throw new GudpConfigException(typeof(TConfig).Name, problems);
    }
}

/// <summary>The layers whose configs have a text form.</summary>
internal static class ConfigLayers
{
    internal static readonly IConfigLayer Core = new ConfigLayer<GudpConfig>("core", GudpConfig.KeyTable);

    internal static readonly IConfigLayer Messaging =
        new ConfigLayer<MessagingConfig>("messaging", MessagingConfig.KeyTable);

    internal static readonly IReadOnlyList<IConfigLayer> All = [Core, Messaging];
}

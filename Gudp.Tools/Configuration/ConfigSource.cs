namespace Gudp.Tools.Configuration;

/// <summary>In which form a source stands.</summary>
internal enum ConfigSourceKind
{
    /// <summary>A preset's name.</summary>
    Preset,

    /// <summary>Key=value, separated by ';' or line ends.</summary>
    Text,

    /// <summary>A JSON object.</summary>
    Json,
}

/// <summary>Something a config is read from.</summary>
internal readonly record struct ConfigSource(ConfigSourceKind Kind, string Text)
{
    private const long MostFileBytes = 1024 * 1024;

    /// <summary>A file in text form, or in JSON if it begins with '{'.</summary>
    /// <exception cref="CommandFailure">It cannot be read, or is larger than any config.</exception>
    internal static ConfigSource FromFile(string path)
    {
        try
        {
            FileInfo file = new(path);

            if (file.Exists && file.Length > MostFileBytes)
            {
                throw new CommandFailure(
                    ExitCode.Usage, $"'{path}' has {file.Length} bytes; a config has at most {MostFileBytes}.");
            }

            string text = File.ReadAllText(path);
            bool isJson = text.AsSpan().TrimStart().StartsWith("{");
            return new ConfigSource(isJson ? ConfigSourceKind.Json : ConfigSourceKind.Text, text);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
    }

    /// <summary>What the user named: a preset, a file, or text.</summary>
    /// <exception cref="CommandFailure">It is none of them.</exception>
    internal static ConfigSource Guess(string given, IConfigLayer layer)
    {
        if (layer.PresetNames.Contains(given, StringComparer.OrdinalIgnoreCase))
        {
            return new ConfigSource(ConfigSourceKind.Preset, given);
        }

        if (File.Exists(given))
        {
            return FromFile(given);
        }

        // Empty text is the default.
        return given.Length == 0 || given.Contains('=', StringComparison.Ordinal)
            ? new ConfigSource(ConfigSourceKind.Text, given)
            : throw new CommandFailure(
                ExitCode.Usage,
                $"'{given}' is no preset ({string.Join(", ", layer.PresetNames)}), no file and no Key=value text.");
    }
}

using System.Text.Json;

namespace Gudp.Tools.Arguments;

/// <summary>
/// One object of a roster. A value of the wrong form is noted and replaced by its default, so that reading goes on and
/// finds the next mistake.
/// </summary>
internal sealed class RosterObject
{
    private readonly Dictionary<string, JsonElement> _properties = [];
    private readonly HashSet<string> _known = [];
    private readonly string _path;
    private readonly string _kind;
    private readonly RosterMistakes _mistakes;

    internal RosterObject(JsonElement element, string path, string kind, RosterMistakes mistakes)
    {
        _path = path;
        _kind = kind;
        _mistakes = mistakes;

        if (element.ValueKind != JsonValueKind.Object)
        {
            mistakes.Add(path, RosterValue.Quote(element), "an object");
            return;
        }

        foreach (JsonProperty property in element.EnumerateObject())
        {
            JsonProperty one = property;

            if (!RosterValue.TryRead(() => one.Name, out string? name) || name is null)
            {
                mistakes.Add(path, "has a property whose name is no text: half a character.");
            }
            else if (!_properties.TryAdd(name, property.Value))
            {
                mistakes.Add($"{path}.{name}", "is there twice; once is enough.");
            }
        }
    }

    internal bool Has(string name) => _properties.ContainsKey(name);

    internal T Read<T>(string name, T standard, string form, Func<JsonElement, T?> read)
        where T : struct
        => ReadOptional(name, form, read) ?? standard;

    internal T ReadRequired<T>(string name, T standard, string form, Func<JsonElement, T?> read)
        where T : struct
    {
        RequireThere(name, form);
        return Read(name, standard, form, read);
    }

    internal T? ReadOptional<T>(string name, string form, Func<JsonElement, T?> read)
        where T : struct
        => TryFind(name, out JsonElement value) ? Judged(name, form, value, read(value)) : null;

    internal T? ReadObjectOf<T>(string name, string form, Func<JsonElement, T?> read)
        where T : class
        => TryFind(name, out JsonElement value) ? Judged(name, form, value, read(value)) : null;

    internal bool ReadBool(string name, bool standard) => Read(
        name, standard, "true or false", value => value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => (bool?)null,
        });

    /// <summary>The name an object must have.</summary>
    internal string ReadName()
    {
        RequireThere("name", "a text");
        return ReadObjectOf("name", "a text", RosterValue.ReadText) ?? "";
    }

    internal IList<string> ReadTexts(string name)
    {
        List<string> texts = [];

        foreach ((JsonElement value, string path) in Elements(name))
        {
            if (RosterValue.ReadText(value) is { } text)
            {
                texts.Add(text);
            }
            else
            {
                _mistakes.Add(path, RosterValue.Quote(value), "a text");
            }
        }

        return texts;
    }

    internal IDictionary<string, T> ReadMap<T>(string name, string form, Func<JsonElement, T?> read)
        where T : struct
    {
        Dictionary<string, T> map = [];

        if (TryFind(name, out JsonElement value))
        {
            RosterObject inner = new(value, $"{_path}.{name}", name, _mistakes);

            foreach ((string key, JsonElement entry) in inner._properties)
            {
                if (read(entry) is T given)
                {
                    map[key] = given;
                }
                else
                {
                    _mistakes.Add($"{_path}.{name}.{key}", RosterValue.Quote(entry), form);
                }
            }
        }

        return map;
    }

    internal T? ReadObject<T>(string name, string kind, Func<RosterObject, T> read)
        where T : struct
        => TryFind(name, out JsonElement value)
            ? read(new RosterObject(value, $"{_path}.{name}", kind, _mistakes))
            : null;

    internal IList<T> ReadObjects<T>(string name, string kind, Func<RosterObject, T> read)
        => [.. Elements(name).Select(entry => read(new RosterObject(entry.Value, entry.Path, kind, _mistakes)))];

    /// <summary>After all others were read: a misspelt name would otherwise mean its default, silently.</summary>
    internal void RefuseOthers()
    {
        foreach (string name in _properties.Keys.Where(name => !_known.Contains(name)))
        {
            _mistakes.Add($"{_path}.{name}", $"is unknown; a {_kind} has {string.Join(", ", _known.Order())}.");
        }
    }

    private List<(JsonElement Value, string Path)> Elements(string name)
    {
        if (!TryFind(name, out JsonElement value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            _mistakes.Add($"{_path}.{name}", RosterValue.Quote(value), "a list");
            return [];
        }

        return [.. value.EnumerateArray().Select((entry, index) => (entry, $"{_path}.{name}[{index}]"))];
    }

    /// <summary>What was read, and a mistake if it is nothing.</summary>
    private T? Judged<T>(string name, string form, JsonElement value, T? given)
    {
        if (given is null)
        {
            _mistakes.Add($"{_path}.{name}", RosterValue.Quote(value), form);
        }

        return given;
    }

    private void RequireThere(string name, string form)
    {
        if (!Has(name))
        {
            _mistakes.Add($"{_path}.{name}", $"is missing; allowed is {form}.");
        }
    }

    private bool TryFind(string name, out JsonElement value)
    {
        _known.Add(name);
        _mistakes.Known.Add((_kind, name));
        return _properties.TryGetValue(name, out value);
    }
}

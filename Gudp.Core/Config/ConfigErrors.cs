using System;
using System.Collections.Generic;

namespace Gudp.Core;

/// <summary>Collects every mistake of a config, so that the user sees all of them at once.</summary>
public sealed class ConfigErrors
{
    private readonly List<string> _found;
    private readonly string _prefix;

    /// <summary>Starts an empty collection.</summary>
    public ConfigErrors()
        : this([], "")
    {
    }

    private ConfigErrors(List<string> found, string prefix)
    {
        _found = found;
        _prefix = prefix;
    }

    /// <summary>How many mistakes were found so far.</summary>
    public int Count => _found.Count;

    /// <summary>
    /// The same collection, seen from inside a part of the config: paths get <paramref name="name"/> in front.
    /// </summary>
    public ConfigErrors Under(string name) => new(_found, _prefix + name + ".");

    /// <summary>A value that breaks a rule.</summary>
    /// <param name="name">The property, relative to the part this collection looks at.</param>
    /// <param name="value">What was given, in text form.</param>
    /// <param name="allowed">What is allowed, such as "3 to 64".</param>
    /// <param name="reason">Why; ends without a full stop.</param>
    public void Add(string name, string value, string allowed, string reason)
        => _found.Add($"{_prefix}{name} is {value}; allowed is {allowed}: {reason}.");

    /// <summary>A mistake that is not about one value's range, such as an unknown key; a whole sentence.</summary>
    public void Add(string sentence) => _found.Add(sentence);

    /// <summary>Throws one exception that lists everything found; does nothing if nothing was.</summary>
    /// <param name="subject">The config's type name, such as "GudpConfig".</param>
    /// <exception cref="GudpConfigException">Something was found.</exception>
    public void ThrowIfAny(string subject)
    {
        if (_found.Count > 0)
        {
            throw new GudpConfigException(subject, _found.ToArray());
        }
    }
}

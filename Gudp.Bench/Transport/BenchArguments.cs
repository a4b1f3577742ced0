using System.Globalization;
using System.Text;

namespace Gudp.Bench.Transport;

/// <summary>The options of a command for measurements; says what is wrong with what it was given, and what is allowed.</summary>
/// <param name="command">Its name.</param>
internal sealed class BenchArguments(string command)
{
    private const int Columns = 110;

    private readonly List<Option> _options = [];

    /// <summary>One sentence; empty while nothing is wrong.</summary>
    internal string Problem { get; private set; } = "";

    /// <summary>All options in the order they were added, broken into lines.</summary>
    internal string Usage
    {
        get
        {
            StringBuilder text = new(command);
            int length = command.Length;

            foreach (Option option in _options)
            {
                bool isNewLine = length + option.Text.Length > Columns;
                text.Append(isNewLine ? "\n" + new string(' ', command.Length) : "").Append(option.Text);
                length = (isNewLine ? command.Length : length) + option.Text.Length;
            }

            return text.ToString();
        }
    }

    /// <summary>An option without a value.</summary>
    internal BenchArguments Flag(string name, Action set)
    {
        _options.Add(new Option(name, "", _ => { set(); return true; }));
        return this;
    }

    /// <summary>An option with a value.</summary>
    /// <param name="name">Such as --size.</param>
    /// <param name="form">What the value is, for usage and mistakes.</param>
    /// <param name="take">False: it is not that.</param>
    internal BenchArguments Value(string name, string form, Func<string, bool> take)
    {
        _options.Add(new Option(name, form, take));
        return this;
    }

    /// <summary>An option with a whole number.</summary>
    internal BenchArguments Count(string name, (int Least, int Most) range, Action<int> take)
        => Value(
            name,
            FormattableString.Invariant($"{range.Least} to {range.Most}"),
            text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number >= range.Least && number <= range.Most && Do(take, number));

    /// <summary>An option with a number that may have a fraction.</summary>
    internal BenchArguments Number(string name, (double Least, double Most) range, Action<double> take)
        => Value(
            name,
            FormattableString.Invariant($"{range.Least} to {range.Most}"),
            text => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number >= range.Least && number <= range.Most && Do(take, number));

    /// <summary>An option with one of some names.</summary>
    internal BenchArguments Name(string name, IEnumerable<string> allowed, Action<string> take)
    {
        string[] names = [.. allowed];
        return Value(name, string.Join('|', names), text => names.Contains(text) && Do(take, text));
    }

    /// <summary>Takes all of them; stops at the first that is wrong.</summary>
    internal bool TryRead(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            Option? option = _options.Find(known => known.Name == arguments[i]);

            if (option is null)
            {
                return Fail($"'{arguments[i]}' is not an option of {command}.");
            }

            if (option.Form.Length == 0)
            {
                option.Take("");
            }
            else if (++i == arguments.Count)
            {
                return Fail($"{option.Name} needs a value: {option.Form}.");
            }
            else if (!option.Take(arguments[i]))
            {
                return Fail($"'{arguments[i]}' is not allowed for {option.Name}: {option.Form}.");
            }
        }

        return true;
    }

    /// <summary>For what only all options together tell.</summary>
    /// <returns>False.</returns>
    internal bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }

    private static bool Do<T>(Action<T> take, T value)
    {
        take(value);
        return true;
    }

    private sealed record Option(string Name, string Form, Func<string, bool> Take)
    {
        internal string Text => Form.Length == 0 ? $" [{Name}]" : $" [{Name} {Form}]";
    }
}

using System.Text;

namespace Gudp.Tools.Transfer;

/// <summary>Makes a file name that came over the network safe to use in the receiver's directory.</summary>
internal static class FileName
{
    /// <summary>The usual limit of file systems, UTF-8 bytes; less what a free name and a temporary name add.</summary>
    internal const int MaxBytes = 200;

    /// <summary>
    /// Reduces <paramref name="sent"/> to its last part, whichever system's separators it was written with.
    /// </summary>
    /// <param name="sent">As the sender wrote it; not to be trusted.</param>
    /// <param name="name">A name without any path; empty if it is refused.</param>
    /// <param name="problem">Why it is refused, as a sentence; empty if it is not.</param>
    internal static bool TryReduce(string sent, out string name, out string problem)
    {
        name = string.Empty;
        string last = sent[(sent.LastIndexOfAny(['/', '\\']) + 1)..];

        if (last.Length == 0)
        {
            problem = "The file name is empty.";
            return false;
        }

        if (last is "." or "..")
        {
            problem = $"'{last}' names a directory.";
            return false;
        }

        if (Encoding.UTF8.GetByteCount(last) > MaxBytes)
        {
            problem = $"The file name is longer than {MaxBytes} bytes.";
            return false;
        }

        // Control characters are legal on some systems; there they would only serve to deceive who lists the directory.
        if (last.Any(char.IsControl) || last.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
        {
            problem = "The file name has characters that are not allowed.";
            return false;
        }

        if (OperatingSystem.IsWindows() && IsSpecialOnWindows(last))
        {
            problem = $"'{last}' is not a file name on Windows.";
            return false;
        }

        name = last;
        problem = string.Empty;
        return true;
    }

    /// <summary>"a.txt", "a-1.txt", "a-2.txt": the names to try until one is free.</summary>
    internal static string Numbered(string name, int attempt)
    {
        if (attempt == 0)
        {
            return name;
        }

        string extension = Path.GetExtension(name);
        string stem = name[..^extension.Length];

        // ".profile" is a stem that begins with a dot, not an extension without a stem.
        return stem.Length == 0 ? $"{name}-{attempt}" : $"{stem}-{attempt}{extension}";
    }

    private static bool IsSpecialOnWindows(string name)
    {
        // Windows drops these two at the end, so that "x." and "x" are one file.
        if (name.EndsWith('.') || name.EndsWith(' '))
        {
            return true;
        }

        string stem = name.Split('.')[0].TrimEnd().ToUpperInvariant();

        return stem is "CON" or "PRN" or "AUX" or "NUL"
            || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal)
                || stem.StartsWith("LPT", StringComparison.Ordinal)) && char.IsAsciiDigit(stem[3]));
    }
}

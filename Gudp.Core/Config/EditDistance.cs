using System;

namespace Gudp.Core.Config;

/// <summary>How many letters must be changed, added or removed to turn one name into another (Levenshtein).</summary>
internal static class EditDistance
{
    internal static int Between(string left, string right)
    {
        var row = new int[right.Length + 1];

        for (int column = 0; column <= right.Length; column++)
        {
            row[column] = column;
        }

        for (int line = 1; line <= left.Length; line++)
        {
            int diagonal = row[0];
            row[0] = line;

            for (int column = 1; column <= right.Length; column++)
            {
                int above = row[column];
                bool isSame = char.ToUpperInvariant(left[line - 1]) == char.ToUpperInvariant(right[column - 1]);
                int replaced = diagonal + (isSame ? 0 : 1);
                row[column] = Math.Min(replaced, Math.Min(above, row[column - 1]) + 1);
                diagonal = above;
            }
        }

        return row[right.Length];
    }
}

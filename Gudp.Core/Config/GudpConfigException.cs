using System;
using System.Collections.Generic;

namespace Gudp.Core;

/// <summary>A config does not hold together. Lists every problem at once, so that one correction is enough.</summary>
public sealed class GudpConfigException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="subject">The config's type name, such as "GudpConfig".</param>
    /// <param name="problems">One sentence each: path, value, rule, reason.</param>
    public GudpConfigException(string subject, IReadOnlyList<string> problems)
        : base(Describe(subject, problems))
        => Problems = problems;

    /// <summary>One sentence per problem: path, value, rule, reason.</summary>
    public IReadOnlyList<string> Problems { get; }

    private static string Describe(string subject, IReadOnlyList<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        string head = problems.Count == 1 ? $"1 problem in {subject}." : $"{problems.Count} problems in {subject}.";
        return head + Environment.NewLine + string.Join(Environment.NewLine, problems);
    }
}

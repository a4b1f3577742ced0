namespace Gudp.Tools.Doctor;

/// <summary>How a finding is meant.</summary>
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Fine,

    /// <summary>It works, and could be better.</summary>
    Note,

    /// <summary>What was asked for does not work.</summary>
    Bad,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What; scripts look for it, so it never changes.</param>
/// <param name="Found">How it is.</param>
/// <param name="Verdict">How that is meant.</param>
/// <param name="Advice">What to do; empty if nothing.</param>
internal sealed record CheckUp(string Name, string Found, Verdict Verdict = Verdict.Fine, string Advice = "");

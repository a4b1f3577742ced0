namespace Gudp.Sequencing.Engine;

/// <summary>Why something a member said changes nothing.</summary>
/// <param name="Error">None if it was not refused.</param>
/// <param name="Detail">What was given and what is allowed; built only for a refusal.</param>
internal readonly record struct Refusal(SequencingError Error, string Detail)
{
    internal static Refusal None => new(SequencingError.None, "");

    internal bool IsNone => Error == SequencingError.None;
}

namespace Gudp.Tools;

/// <summary>
/// A command cannot go on: its message and details are the lines the user reads, its code what the shell gets.
/// </summary>
internal sealed class CommandFailure : Exception
{
    internal CommandFailure(ExitCode code, string message)
        : base(message)
        => Code = code;

    /// <param name="code">What the shell gets.</param>
    /// <param name="message">The first line.</param>
    /// <param name="details">A line each.</param>
    internal CommandFailure(ExitCode code, string message, IReadOnlyList<string> details)
        : this(code, message)
        => Details = details;

    internal ExitCode Code { get; }

    internal IReadOnlyList<string> Details { get; } = [];
}

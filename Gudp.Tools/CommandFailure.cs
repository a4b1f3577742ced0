namespace Gudp.Tools;

/// <summary>A command cannot go on: its message is the line the user reads, its code what the shell gets.</summary>
internal sealed class CommandFailure : Exception
{
    internal CommandFailure(ExitCode code, string message)
        : base(message)
        => Code = code;

    internal ExitCode Code { get; }
}

using Gudp.Tools;
using Gudp.Tools.Commands;
using Gudp.Tools.Output;

namespace Gudp.Tests.Tools;

/// <summary>Runs a command in this process and keeps what it prints.</summary>
internal static class CommandCall
{
    internal static async Task<(ExitCode Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter errors = new() { NewLine = "\n" };
        ExitCode code = await CommandLine.RunAsync(arguments, new Printer(output, errors, terminal: null));
        return (code, output.ToString(), errors.ToString());
    }
}

using Gudp.Tools.Commands;
using Gudp.Tools.Output;

namespace Gudp.Tools;

internal static class Program
{
    internal static async Task<int> Main(string[] arguments)
        => (int)await CommandLine.RunAsync(arguments, Printer.ForConsole()).ConfigureAwait(false);
}

using System.CommandLine;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;
using Gudp.Tools.Output;

namespace Gudp.Tools.Network;

/// <summary>
/// The port at which <c>gudp top</c> looks at a serving command. On a daemon of its own, so that it answers also while
/// the observed one is busy.
/// </summary>
internal sealed class StatusPort : IDisposable
{
    private readonly Daemon _daemon;
    private readonly StatusReporter _reporter;

    private StatusPort(Daemon daemon, StatusReporter reporter)
    {
        _daemon = daemon;
        _reporter = reporter;
    }

    /// <summary>The option of every command that serves; null if it was not given.</summary>
    internal static Option<int?> Option() => CommandOption.OptionalPort(
        "--status-port", "Answer 'gudp top' on this port; 0 for any free one. Whoever reaches it may ask.");

    /// <summary>Begins to answer and prints where; null if the user did not ask for it.</summary>
    /// <exception cref="CommandFailure">The port cannot be used.</exception>
    internal static StatusPort? Open(int? port, Daemon observed, Printer printer)
    {
        if (port is not { } wanted)
        {
            return null;
        }

        MessagingConfig config = ToolConfig.Lockstep;
        Daemon daemon = new(config.Core);

        try
        {
            StatusReporter reporter = ToolConfig.OnPort(
                wanted, local => new StatusReporter(daemon, local, config, observed));
            daemon.Start();
            printer.Line($"status on port {reporter.LocalAddress.Port}");
            return new StatusPort(daemon, reporter);
        }
        catch
        {
            daemon.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _reporter.Dispose();
        _daemon.Dispose();
    }
}

using System.CommandLine;
using System.Net.Sockets;
using Gudp.Sequencing;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary>
/// The whole command line. This is the only place where a failure becomes a line and a number: commands throw
/// <see cref="CommandFailure"/>, and no exception leaves as a stack trace.
/// </summary>
internal static class CommandLine
{
    internal static async Task<ExitCode> RunAsync(IReadOnlyList<string> arguments, Printer printer)
    {
        ParseResult parsed = Root(printer).Parse(arguments);

        if (parsed.Errors.Count > 0)
        {
            // The last is the most precise: behind "no command" stands the word that is not one.
            printer.Error(parsed.Errors[^1].Message + " Try --help.");
            return ExitCode.Usage;
        }

        // Ctrl-C cancels; a command then ends its children and prints its counts, which takes moments.
        InvocationConfiguration invocation = new()
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromSeconds(5),
        };

        try
        {
            return (ExitCode)await parsed.InvokeAsync(invocation).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            printer.Error(failure.Message, failure.Details);
            return failure.Code;
        }
        catch (SequencingException failure)
        {
            printer.Error(failure.Message);
            return CodeOf(failure.Error);
        }
        catch (TimeoutException failure)
        {
            printer.Error(failure.Message);
            return ExitCode.TimedOut;
        }
        catch (OperationCanceledException)
        {
            printer.Error("Interrupted.");
            return ExitCode.CheckFailed;
        }
        catch (SocketException failure)
        {
            printer.Error($"The network does not work: {failure.Message.TrimEnd('.')}.");
            return ExitCode.NotConnected;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            printer.Error(failure.Message);
            return ExitCode.CheckFailed;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            printer.Error($"This is a defect of gudp, please report it: {failure.GetType().Name}: {failure.Message}");
            return ExitCode.CheckFailed;
        }
    }

    /// <summary>As the parser wants it.</summary>
    internal static async Task<int> RunAsync(Task<ExitCode> command) => (int)await command.ConfigureAwait(false);

    private static ExitCode CodeOf(SequencingError error) => error switch
    {
        SequencingError.ConnectionLost => ExitCode.TimedOut,
        SequencingError.ConfigMismatch or SequencingError.NameTaken or SequencingError.NotDeclared
            or SequencingError.NotAllowed
            => ExitCode.NotConnected,
        _ => ExitCode.CheckFailed,
    };

    private static RootCommand Root(Printer printer) => new("Reliable UDP and lock-time sequencing from the shell.")
    {
        DemoCommand.Create(printer),
        ServeCommand.Create(printer),
        PingCommand.Create(printer),
        PongCommand.Create(printer),
        TopCommand.Create(printer),
        RunCommand.CreateStatus(printer),
        RunCommand.CreateWho(printer),
        RunCommand.CreateStart(printer),
        RunCommand.CreateBarrier(printer),
        RunCommand.CreateStep(printer),
        RunCommand.CreateStop(printer),
        SendCommand.Create(printer),
        RecvCommand.Create(printer),
        SimCommand.Create(printer),
        ConfigCommand.Create(printer),
        DoctorCommand.Create(printer),
        TraceCommand.Create(printer),
        LogCommand.Create(printer),
        DiffCommand.Create(printer),
        DemoServerCommand.Create(),
        DemoMemberCommand.Create(),
    };
}

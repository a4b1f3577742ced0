using System.CommandLine;
using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Watching;

namespace Gudp.Tools.Commands;

/// <summary>
/// <c>gudp status | who | start | barrier | step | stop HOST:PORT</c>: look at a run and hold it without being a member.
/// </summary>
internal static class RunCommand
{
    private const string ServerText = "The sequence server, such as the port of 'gudp serve'.";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    internal static Command CreateStatus(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Option<bool> json = Json();
        Command command = new("status", "Shows how a run stands and what its members do.") { target, json };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(StatusAsync(
            new Call(parsed.GetRequiredValue(target), "gudp", parsed.GetValue(json), printer),
            static (run, late) => run.StatusAsync(late),
            cancelled)));
        return command;
    }

    internal static Command CreateWho(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Option<string?> member = new("--member")
        {
            Description = "Only this one; else everybody that waits.",
            HelpName = "NAME",
        };
        Option<bool> json = Json();
        Command command = new("who", "Says who keeps the members of a run waiting.") { target, member, json };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(WhoAsync(
            new Call(parsed.GetRequiredValue(target), "gudp", parsed.GetValue(json), printer),
            parsed.GetValue(member),
            cancelled)));
        return command;
    }

    internal static Command CreateStart(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Option<bool> json = Json();
        Command command = new("start", "Starts a run that starts on command, with whoever is there.") { target, json };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(StatusAsync(
            new Call(parsed.GetRequiredValue(target), "gudp", parsed.GetValue(json), printer),
            StartAsync,
            cancelled)));
        return command;
    }

    internal static Command CreateBarrier(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Argument<Tag?> barrier = CommandOption.TagOrClear(
            "Nobody is granted at this tag or above; 'clear' takes the barrier away.");
        Option<string> name = Name();
        Option<bool> json = Json();
        Command command = new("barrier", "Holds a run at a tag, until the barrier is moved or cleared.")
        {
            target, barrier, name, json,
        };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(StatusAsync(
            new Call(parsed.GetRequiredValue(target), parsed.GetValue(name)!, parsed.GetValue(json), printer),
            (run, late) => parsed.GetValue(barrier) is Tag tag
                ? run.SetBarrierAsync(tag, late)
                : run.ClearBarrierAsync(late),
            cancelled)));
        return command;
    }

    internal static Command CreateStep(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Option<int> count = CommandOption.Count("--count", "How many tags.", 1, (1, 1_000_000_000));
        Option<string> name = Name();
        Option<bool> json = Json();
        Command command = new("step", "Lets the next tag of a run pass, and holds again.") { target, count, name, json };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(StatusAsync(
            new Call(parsed.GetRequiredValue(target), parsed.GetValue(name)!, parsed.GetValue(json), printer),
            (run, late) => run.StepAsync(parsed.GetValue(count), late),
            cancelled)));
        return command;
    }

    internal static Command CreateStop(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(ServerText);
        Option<Tag?> at = CommandOption.OptionalTag("--at", "Where; else as early as possible.");
        Option<bool> json = Json();
        Command command = new("stop", "Ends a run for everybody; its history is then influenced from outside.")
        {
            target, at, json,
        };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(StatusAsync(
            new Call(parsed.GetRequiredValue(target), "gudp", parsed.GetValue(json), printer),
            (run, late) => run.StopAsync(parsed.GetValue(at), late),
            cancelled)));
        return command;
    }

    // A closed run ignores the command; whoever gave it must not believe that it was obeyed.
    private static async Task<RunStatus> StartAsync(SequenceOperator run, CancellationToken late)
    {
        RunStatus status = await run.StartAsync(late).ConfigureAwait(false);

        return status.Stage == RunStage.Gathering
            ? throw new CommandFailure(
                ExitCode.CheckFailed,
                "The run starts by itself when everybody of its roster is there; only one with \"startsOnCommand\" "
                + "starts without them.")
            : status;
    }

    private static Option<bool> Json() => new("--json") { Description = "Print a line of JSON." };

    private static Option<string> Name() => new("--name")
    {
        Description = "Whose barrier it is; each name has one.",
        HelpName = "NAME",
        DefaultValueFactory = static _ => "gudp",
    };

    private static Task<ExitCode> StatusAsync(
        Call call, Func<SequenceOperator, CancellationToken, Task<RunStatus>> ask, CancellationToken cancelled)
        => AskAsync(
            call,
            ask,
            status =>
            {
                if (call.Json)
                {
                    call.Printer.Line(RunText.JsonOf(status));
                }
                else
                {
                    call.Printer.Line(RunText.TitleOf(status));

                    if (RunText.TroubleOf(status) is { Length: > 0 } trouble)
                    {
                        call.Printer.Line(trouble);
                    }

                    call.Printer.Table(RunText.TableOf(status));
                }
            },
            cancelled);

    private static Task<ExitCode> WhoAsync(Call call, string? member, CancellationToken cancelled)
        => AskAsync(
            call,
            (run, late) => run.WhoBlocksAsync(member, late),
            waits =>
            {
                if (call.Json)
                {
                    call.Printer.Line(RunText.JsonOf(waits));
                }
                else if (waits.Count == 0)
                {
                    call.Printer.Line(member is null ? "nobody waits" : $"'{member}' does not wait");
                }
                else
                {
                    foreach (WaitReport wait in waits)
                    {
                        call.Printer.Line(wait.ToString());
                    }
                }
            },
            cancelled);

    private static async Task<ExitCode> AskAsync<T>(
        Call call, Func<SequenceOperator, CancellationToken, Task<T>> ask, Action<T> show, CancellationToken cancelled)
    {
        if (call.Name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(call.Name) > 255)
        {
            throw new CommandFailure(ExitCode.Usage, "A name has 1 to 255 bytes.");
        }

        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(call.Target, ToolConfig.Lockstep, cancelled)
            .ConfigureAwait(false);
        using SequenceOperator run = SequenceOperator.Over(dialed.Peer, call.Name);
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(Patience);

        try
        {
            show(await ask(run, late.Token).ConfigureAwait(false));
            return ExitCode.Fine;
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.TimedOut, "No answer; is this the port of a sequence server?");
        }
    }

    private sealed record Call(HostPort Target, string Name, bool Json, Printer Printer);
}

using System.Diagnostics;
using System.Reflection;
using System.Threading.Channels;

namespace Gudp.Tools.Demo;

/// <summary>
/// A process of this program, started by it. It ends when its standard input closes, so it also ends when this process
/// is killed; disposing ends it at once.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private volatile string _lastError = string.Empty;

    private ChildProcess(string name, Process process)
    {
        Name = name;
        _process = process;
    }

    internal string Name { get; }

    /// <summary>What the process says, line by line; complete when its output has ended.</summary>
    internal ChannelReader<string> Lines => _lines.Reader;

    /// <summary>What it has used so far, all its threads.</summary>
    internal TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <param name="name">For reports.</param>
    /// <param name="arguments">Of the program.</param>
    /// <param name="program">Its assembly; null: these tools.</param>
    internal static ChildProcess Start(string name, IEnumerable<string> arguments, Assembly? program = null)
    {
        ProcessStartInfo start = new()
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        SetProgram(start, program ?? typeof(ChildProcess).Assembly);

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        Process process = new() { StartInfo = start };
        ChildProcess child = new(name, process);
        process.OutputDataReceived += (_, line) => child.HandleOutput(line.Data);
        process.ErrorDataReceived += (_, line) => child._lastError = line.Data ?? child._lastError;

        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>
    /// SIGKILL, or what the system has for it: the process does nothing any more, and its sockets fall silent. Waits until
    /// it is gone.
    /// </summary>
    internal async Task KillAsync(CancellationToken cancelled)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancelled).ConfigureAwait(false);
    }

    /// <summary>In a child: cancels once the parent is gone. Returns at once.</summary>
    internal static void CancelWithParent(CancellationTokenSource cancellation)
    {
        Thread watch = new(() =>
        {
            while (Console.In.Read() >= 0)
            {
                // The parent says nothing; its silence ends with it.
            }

            cancellation.Cancel();
        })
        {
            IsBackground = true,
            Name = "gudp-parent-watch",
        };

        watch.Start();
    }

    /// <summary>After the output has ended too early: what the process said last, with its own exit code.</summary>
    internal async Task<CommandFailure> ExplainEndAsync(CancellationToken cancelled)
    {
        await _process.WaitForExitAsync(cancelled).ConfigureAwait(false);
        ExitCode code = (ExitCode)_process.ExitCode;
        string reason = _lastError.Length > 0 ? _lastError : $"exit code {_process.ExitCode}";

        return new CommandFailure(
            Enum.IsDefined(code) && code != ExitCode.Fine ? code : ExitCode.CheckFailed,
            $"{Name} ended too early: {reason}");
    }

    public void Dispose()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.Kill();

                // Killing only asks for it: when the demo has ended, so have its processes.
                _process.WaitForExit(KillPatience);
            }
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended by itself in the meantime.
        }

        _process.Dispose();
    }

    private void HandleOutput(string? text)
    {
        if (text is null)
        {
            _lines.Writer.TryComplete();
        }
        else
        {
            _lines.Writer.TryWrite(text);
        }
    }

    // Run as an application of its own, or as a library by the dotnet host: the latter needs to be told which.
    private static void SetProgram(ProcessStartInfo start, Assembly program)
    {
        string assembly = program.Location;
        string host = Environment.ProcessPath ?? "dotnet";

        start.FileName = host;

        // A name may have dots, so that what stands behind the last one is an extension only if it is this one.
        string own = Path.GetFileNameWithoutExtension(assembly);
        string name = Path.GetFileName(host);

        if (!name.Equals(own, StringComparison.OrdinalIgnoreCase)
            && !name.Equals(own + ".exe", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(assembly);
        }
    }
}

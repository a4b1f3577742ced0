using System.Diagnostics;
using System.Globalization;
using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>The gudp command as its users run it: a process with arguments, two streams and an exit code.</summary>
internal sealed class ToolProcess : IDisposable
{
    /// <summary>No test waits longer for one thing; far above what any of them takes.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _errors = [];

    private ToolProcess(Process process) => _process = process;

    internal static ToolProcess Start(params string[] arguments) => StartOf(typeof(ExitCode), arguments);

    /// <summary>The program of another assembly.</summary>
    /// <param name="within">A type of it.</param>
    /// <param name="arguments">Of the program.</param>
    internal static ToolProcess StartOf(Type within, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        start.ArgumentList.Add(within.Assembly.Location);

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        Process process = new() { StartInfo = start };
        ToolProcess tool = new(process);
        process.ErrorDataReceived += (_, line) => tool.NoteError(line.Data);
        process.Start();
        process.BeginErrorReadLine();
        return tool;
    }

    /// <summary>Runs to the end.</summary>
    internal static async Task<(ExitCode Code, string Output, string[] Errors)> RunAsync(params string[] arguments)
    {
        using ToolProcess tool = Start(arguments);
        return await tool.EndAsync();
    }

    /// <summary>The port in the first line of a command that listens.</summary>
    internal Task<string> PortAsync() => PortAsync("listening on port ");

    /// <summary>The port in the next line of a command with a --status-port.</summary>
    internal Task<string> StatusPortAsync() => PortAsync("status on port ");

    /// <summary>The next line it prints; null if it has ended.</summary>
    internal Task<string?> NextLineAsync() => _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);

    private async Task<string> PortAsync(string before)
    {
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        Assert.That(line, Does.StartWith(before), string.Join('\n', _errors));

        string port = new([.. line![before.Length..].TakeWhile(char.IsAsciiDigit)]);
        Assert.That(int.Parse(port, CultureInfo.InvariantCulture), Is.Positive);
        return port;
    }

    /// <summary>The processes it has started, by id. Linux only.</summary>
    internal async Task<IReadOnlyList<int>> ChildrenAsync(int atLeast)
    {
        // Children belong to the thread that started them.
        string tasks = string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/task");
        int[] children = [];

        await UntilAsync(() =>
        {
            children = [.. Directory.GetDirectories(tasks)
                .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' '))
                .Where(text => text.Length > 0)
                .Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            return children.Length >= atLeast;
        });

        return children;
    }

    /// <summary>Whether a process runs. One that has ended and was not yet waited for does not.</summary>
    internal static bool IsAlive(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Other processes do what is waited for; there is nothing in this one that could signal it.</summary>
    internal static async Task UntilAsync(Func<bool> isSo)
    {
        using CancellationTokenSource late = new(Patience);

        while (!isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), late.Token);
        }
    }

    internal void Kill() => _process.Kill();

    /// <summary>What Ctrl-C does.</summary>
    internal void Interrupt()
    {
        using Process kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    internal async Task<(ExitCode Code, string Output, string[] Errors)> EndAsync()
    {
        string output = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);

        lock (_errors)
        {
            return ((ExitCode)_process.ExitCode, output, [.. _errors]);
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private void NoteError(string? line)
    {
        if (line is not null)
        {
            lock (_errors)
            {
                _errors.Add(line);
            }
        }
    }
}

using System.Net.Sockets;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tools.Network;

/// <summary>How the commands use the library, and how they say that the system refused a port.</summary>
internal static class ToolConfig
{
    private const string Name = "gudp";

    // Where packet traces go; an environment variable, because the demo's processes inherit it.
    private const string TraceVariable = "GUDP_TRACE";

    // The end of a burst, also of one ping, is acked soon. At once would cost a quarter of the rate: an ack per turn.
    private static readonly TimeSpan AckDelay = TimeSpan.FromMilliseconds(1);

    /// <summary>For moving files: rings that hold what a fast path has under way.</summary>
    internal static MessagingConfig Bulk
    {
        get
        {
            GudpConfig core = Trusting(GudpConfig.Bulk);
            LossConfig loss = core.Connections.Loss with { MaxAckDelay = AckDelay };

            return MessagingConfig.Bulk with
            {
                Core = core with { Connections = core.Connections with { Loss = loss } },
            };
        }
    }

    /// <summary>For runs in step, and for measuring round trips: acks come at once.</summary>
    internal static MessagingConfig Lockstep => new() { Core = Trusting(GudpConfig.Lockstep) };

    /// <summary>From now on the daemons of this process and of those it starts write packet traces.</summary>
    /// <param name="directory">Made if it is not there; null changes nothing.</param>
    /// <exception cref="CommandFailure">It cannot be made.</exception>
    internal static void TraceTo(string? directory)
    {
        if (directory is null)
        {
            return;
        }

        try
        {
            Environment.SetEnvironmentVariable(TraceVariable, Directory.CreateDirectory(directory).FullName);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"No trace can be written to '{directory}': {failure.Message}");
        }
    }

    /// <summary>Opens a port, and makes of the system's refusal a line for the user.</summary>
    /// <param name="port">0 lets the system pick.</param>
    /// <param name="open">Opens the address it is given.</param>
    internal static T OnPort<T>(int port, Func<PeerAddress, T> open)
    {
        try
        {
            return open(Socket.OSSupportsIPv6 ? PeerAddress.AnyIPv6(port) : PeerAddress.AnyIPv4(port));
        }
        catch (SocketException refused)
        {
            string problem = refused.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "is in use; stop the other program or choose another port",
                SocketError.AccessDenied => "may not be opened by this user; choose one above 1023",
                _ => "cannot be opened: " + refused.Message.TrimEnd('.'),
            };

            throw new CommandFailure(ExitCode.NotConnected, $"Port {port} {problem}.");
        }
    }

    // The tool's traffic is for machines and networks its user trusts; the protected modes will be options.
    private static GudpConfig Trusting(GudpConfig config) => config with
    {
        Name = Name,
        Trace = new() { Directory = Environment.GetEnvironmentVariable(TraceVariable) ?? "" },
        Connections = config.Connections with { Security = new() { Protection = Protection.Plain } },
    };
}

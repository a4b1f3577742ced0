using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gudp.Core;

namespace Gudp.Tools.Arguments;

/// <summary>A host, by name or address, and a port: "example.org:4000", "127.0.0.1:4000" or "[::1]:4000".</summary>
internal sealed record HostPort(string Host, int Port)
{
    /// <param name="text">As the user wrote it.</param>
    /// <param name="target">The two parts; null if there is a problem.</param>
    /// <param name="problem">What is wrong and what is allowed, as one sentence; empty if nothing is.</param>
    internal static bool TryParse(string text, out HostPort? target, out string problem)
    {
        target = null;
        int colon = text.LastIndexOf(':');

        if (colon < 0)
        {
            problem = $"'{text}' has no port; write HOST:PORT, such as localhost:4000.";
            return false;
        }

        string host = text[..colon];

        if (!TryParsePort(text[(colon + 1)..], least: 1, out int port))
        {
            problem = $"'{text[(colon + 1)..]}' is not a port; allowed is 1 to 65535.";
            return false;
        }

        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];

            if (!IPAddress.TryParse(host, out IPAddress? inside)
                || inside.AddressFamily != AddressFamily.InterNetworkV6)
            {
                problem = $"'{host}' in brackets is not an IPv6 address.";
                return false;
            }
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            problem = $"'{text}' may be an IPv6 address with or without port; write it as [ADDRESS]:PORT.";
            return false;
        }

        if (host.Length == 0 || host.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            problem = $"'{text}' has no host; write HOST:PORT, such as localhost:4000.";
            return false;
        }

        target = new HostPort(host, port);
        problem = string.Empty;
        return true;
    }

    internal static bool TryParsePort(string text, int least, out int port)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port)
            && port >= least && port <= ushort.MaxValue;

    /// <summary>All addresses of the host, of both families, in the order the system prefers.</summary>
    /// <exception cref="CommandFailure">The host is unknown or the question was not answered.</exception>
    internal async Task<IReadOnlyList<PeerAddress>> ResolveAsync(CancellationToken cancelled)
    {
        if (IPAddress.TryParse(Host, out IPAddress? literal))
        {
            return [PeerAddress.From(literal, Port)];
        }

        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(Host, cancelled).ConfigureAwait(false);

            if (found.Length > 0)
            {
                return [.. found.Select(address => PeerAddress.From(address, Port)).Distinct()];
            }
        }
        catch (SocketException unknown)
        {
            throw new CommandFailure(
                ExitCode.NotConnected, $"The host '{Host}' cannot be found: {unknown.Message.TrimEnd('.')}.");
        }
        catch (ArgumentException)
        {
            // Names that break the rules of DNS, such as ones with a label that is too long, end here.
        }

        throw new CommandFailure(ExitCode.NotConnected, $"The host '{Host}' cannot be found.");
    }

    public override string ToString()
        => Host.Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}

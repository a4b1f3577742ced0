using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;

namespace Gudp.Tools.Doctor;

/// <summary>
/// What a look at the clock, a datagram and a wait cost here: short tries, to be read as orders of magnitude.
/// </summary>
internal static class CostExam
{
    private const int Tries = 5;
    private const int DatagramBytes = 1_200;
    private const double SlowClockNanoseconds = 200;

    private static readonly TimeSpan Wait = TimeSpan.FromMicroseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    internal static CheckUp Clock()
    {
        const int Looks = 200_000;
        double best = Best(() =>
        {
            long start = Stopwatch.GetTimestamp();

            for (int i = 0; i < Looks; i++)
            {
                _ = Stopwatch.GetTimestamp();
            }

            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Looks;
        });

        bool isSlow = best > SlowClockNanoseconds;
        return new CheckUp(
            "clock",
            Number(best, "0", "ns a look"),
            isSlow ? Verdict.Note : Verdict.Fine,
            isSlow ? "The system asks the hypervisor each time; choose another clock source, such as tsc." : "");
    }

    /// <summary>Sent and received over the loopback, by one thread.</summary>
    internal static IEnumerable<CheckUp> Datagrams(SocketConfig config)
    {
        using UdpNetwork network = new(config.FrameworkOnly);
        using IDatagramSocket socket = OpenLoopback(network, config);

        // What comes back costs something else than what does not.
        if (!Carries(socket, network))
        {
            yield return new CheckUp(
                "datagram", "does not arrive", Verdict.Note, "The loopback carries nothing; bring it up: ip link set lo up");
            yield break;
        }

        int most = Math.Min(socket.Capabilities.MaxSegments, 44);

        yield return new CheckUp("datagram", Number(MicrosecondsEach(socket, 1), "0.00", "us, sent and received"));

        if (most > 1)
        {
            yield return new CheckUp(
                "datagram of a run", Number(MicrosecondsEach(socket, most), "0.00", "us, sent and received"));
        }
    }

    /// <summary>How much later than asked a wait ends.</summary>
    internal static CheckUp Waiting(SocketConfig config)
    {
        using UdpNetwork network = new(config.FrameworkOnly);

        // Opening rings the bell.
        while (network.Wait(TimeSpan.Zero))
        {
        }

        List<double> late = [];

        for (int i = 0; i < 50; i++)
        {
            long start = Stopwatch.GetTimestamp();
            network.Wait(Wait);
            late.Add((Stopwatch.GetElapsedTime(start) - Wait).TotalMicroseconds);
        }

        late.Sort();
        double median = late[late.Count / 2];
        bool isTicking = median > 500;

        return new CheckUp(
            "wait of 200 us",
            Number(median, "0", "us late"),
            isTicking ? Verdict.Note : Verdict.Fine,
            isTicking ? "Waits end with a tick, or the machine is busy." : "");
    }

    private static IDatagramSocket OpenLoopback(UdpNetwork network, SocketConfig config)
    {
        try
        {
            return network.Open(PeerAddress.LoopbackIPv4(0), config);
        }
        catch (SocketException) when (Socket.OSSupportsIPv6)
        {
            return network.Open(PeerAddress.LoopbackIPv6(0), config);
        }
    }

    private static bool Carries(IDatagramSocket socket, UdpNetwork network)
    {
        if (socket.TrySend([1], 1, socket.LocalAddress) != SocketOutcome.Done)
        {
            return false;
        }

        // The first answer may be the bell's, which opening the socket rang.
        byte[] buffer = new byte[16];
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            if (socket.TryReceive(buffer, out _, out _, out _) == SocketOutcome.Done)
            {
                return true;
            }

            network.Wait(Patience);
        }

        return false;
    }

    private static double MicrosecondsEach(IDatagramSocket socket, int atOnce)
    {
        byte[] datagrams = new byte[atOnce * DatagramBytes];
        byte[] buffer = new byte[65_535];
        int calls = 2_000 / atOnce;

        return Best(() =>
        {
            long start = Stopwatch.GetTimestamp();

            for (int i = 0; i < calls; i++)
            {
                socket.TrySend(datagrams, DatagramBytes, socket.LocalAddress);

                while (socket.TryReceive(buffer, out _, out _, out _) == SocketOutcome.Done)
                {
                }
            }

            return Stopwatch.GetElapsedTime(start).TotalMicroseconds / (calls * atOnce);
        });
    }

    // The least is what it costs; more is what else the machine did.
    private static double Best(Func<double> measure)
    {
        double best = double.MaxValue;

        for (int i = 0; i < Tries; i++)
        {
            best = Math.Min(best, measure());
        }

        return best;
    }

    private static string Number(double value, string format, string unit)
        => value.ToString(format, CultureInfo.InvariantCulture) + " " + unit;
}

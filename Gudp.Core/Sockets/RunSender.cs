using System;

namespace Gudp.Core.Sockets;

/// <summary>One call to the system.</summary>
internal interface ISendCall
{
    /// <summary>Hands over one datagram, or a run that the system cuts.</summary>
    /// <param name="datagrams">A run's total is at most <see cref="RunSender.MostBytes"/>.</param>
    /// <param name="segmentBytes">Where to cut; 0: one datagram.</param>
    /// <returns>0, or the system's error; then none was sent.</returns>
    int Send(ReadOnlySpan<byte> datagrams, int segmentBytes);
}

/// <summary>
/// Sends runs of equal datagrams in as few calls as the system takes, and one by one what it refuses at once.
/// </summary>
/// <remarks>
/// Always true: once off it stays off, and a refused run is sent again as long as single datagrams are taken, so that
/// nothing is lost by offload.
/// </remarks>
internal struct RunSender
{
    /// <summary>Segments that every kernel with UDP_SEGMENT takes; later ones take 128.</summary>
    internal const int MostSegments = 64;

    /// <summary>Payload of the largest datagram over IPv4, and of a run.</summary>
    internal const int MostBytes = 65_507;

    // A filter that vetoes at random would soon have taken offload away for good.
    private const int RefusalsInARow = 4;

    private int _refusedInARow;

    internal RunSender(bool isOn) => IsOn = isOn;

    /// <summary>Whether runs are tried at all.</summary>
    internal bool IsOn { get; private set; }

    /// <summary>Runs that were refused, of which the first datagram was taken by itself.</summary>
    internal long Refusals { get; private set; }

    /// <summary>Sends all, or up to the first that is refused.</summary>
    /// <param name="call">How.</param>
    /// <param name="datagrams">Back to back; only the last may be shorter.</param>
    /// <param name="datagramBytes">Of each but the last.</param>
    internal SocketOutcome Send<TCall>(TCall call, ReadOnlySpan<byte> datagrams, int datagramBytes)
        where TCall : ISendCall, allows ref struct
    {
        if (datagrams.Length <= datagramBytes)
        {
            return LinuxErrors.OutcomeOfSend(call.Send(datagrams, segmentBytes: 0));
        }

        int mostBytes = datagramBytes * Math.Clamp(MostBytes / datagramBytes, 1, MostSegments);

        while (!datagrams.IsEmpty)
        {
            ReadOnlySpan<byte> run = datagrams[..Math.Min(mostBytes, datagrams.Length)];
            SocketOutcome outcome = SendRun(call, run, datagramBytes);

            if (outcome != SocketOutcome.Done)
            {
                return outcome;
            }

            datagrams = datagrams[run.Length..];
        }

        return SocketOutcome.Done;
    }

    private SocketOutcome SendRun<TCall>(TCall call, ReadOnlySpan<byte> run, int datagramBytes)
        where TCall : ISendCall, allows ref struct
    {
        if (!IsOn || run.Length <= datagramBytes)
        {
            return SendOneByOne(call, run, datagramBytes, out _);
        }

        int error = call.Send(run, datagramBytes);

        if (error == LinuxErrors.None)
        {
            _refusedInARow = 0;
            return SocketOutcome.Done;
        }

        if (!LinuxErrors.MayBeOfOffload(error))
        {
            return LinuxErrors.OutcomeOfSend(error);
        }

        SocketOutcome outcome = SendOneByOne(call, run, datagramBytes, out int sent);

        // Datagrams too long for the path, or for nobody, are refused alone as well: that is not offload's fault.
        if (sent > 0)
        {
            Refusals++;
            _refusedInARow++;
            IsOn = !LinuxErrors.IsOfOffload(error) && _refusedInARow < RefusalsInARow;
        }

        return outcome;
    }

    private static SocketOutcome SendOneByOne<TCall>(
        TCall call, ReadOnlySpan<byte> datagrams, int datagramBytes, out int sent)
        where TCall : ISendCall, allows ref struct
    {
        sent = 0;

        while (!datagrams.IsEmpty)
        {
            ReadOnlySpan<byte> datagram = datagrams[..Math.Min(datagramBytes, datagrams.Length)];
            int error = call.Send(datagram, segmentBytes: 0);

            if (error != LinuxErrors.None)
            {
                return LinuxErrors.OutcomeOfSend(error);
            }

            sent++;
            datagrams = datagrams[datagram.Length..];
        }

        return SocketOutcome.Done;
    }
}

using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What becomes of runs that a system refuses, told by a script of its answers.</summary>
[TestFixture]
public sealed class RunSenderTests
{
    private const int DatagramBytes = 100;

    private static readonly int[] RefusalsForGood =
        [LinuxErrors.InputOutput, LinuxErrors.Invalid, LinuxErrors.NoSuchOption, LinuxErrors.NotSupported];

    private static readonly int[] RefusalsThatPass =
    [
        LinuxErrors.NotPermitted, LinuxErrors.AccessDenied, LinuxErrors.MessageSize, LinuxErrors.NoMemory,
        LinuxErrors.NoBuffers,
    ];

    [Test]
    public void A_run_that_is_taken_costs_one_call([Range(2, 64)] int count)
    {
        Script script = new();
        RunSender sender = new(isOn: true);

        SocketOutcome outcome = Send(ref sender, script, (count * DatagramBytes) - 1);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.Done));
        Assert.That(script.Calls, Is.EqualTo(new[] { ((count * DatagramBytes) - 1, DatagramBytes) }));
    }

    [TestCaseSource(nameof(RefusalsForGood))]
    public void A_refusal_of_runs_is_met_once_and_loses_nothing(int error)
    {
        Script script = new() { OfRuns = error };
        RunSender sender = new(isOn: true);

        SocketOutcome first = Send(ref sender, script, 350);
        script.Calls.Clear();
        SocketOutcome second = Send(ref sender, script, 350);

        Assert.That((first, second), Is.EqualTo((SocketOutcome.Done, SocketOutcome.Done)));
        Assert.That(script.Calls, Is.EqualTo(new[] { (100, 0), (100, 0), (100, 0), (50, 0) }));
        Assert.That((sender.IsOn, sender.Refusals), Is.EqualTo((false, 1L)));
        Assert.That(script.TakenBytes, Is.EqualTo(700));
    }

    [TestCaseSource(nameof(RefusalsThatPass))]
    public void A_veto_that_may_pass_ends_runs_only_when_it_comes_four_times_in_a_row(int error)
    {
        Script script = new() { OfRuns = error };
        RunSender sender = new(isOn: true);
        List<bool> isOn = [];

        for (int i = 0; i < 7; i++)
        {
            // The fourth run is taken: the count begins again.
            script.OfRuns = i == 3 ? LinuxErrors.None : error;
            Assert.That(Send(ref sender, script, 250), Is.EqualTo(SocketOutcome.Done));
            isOn.Add(sender.IsOn);
        }

        Send(ref sender, script, 250);

        Assert.That(isOn, Is.All.True);
        Assert.That((sender.IsOn, sender.Refusals), Is.EqualTo((false, 7L)));
        Assert.That(script.TakenBytes, Is.EqualTo(8 * 250));
    }

    [TestCase(LinuxErrors.MessageSize, SocketOutcome.TooLarge)]
    [TestCase(LinuxErrors.NotPermitted, SocketOutcome.Unreachable)]
    [TestCase(LinuxErrors.NoBuffers, SocketOutcome.Unreachable)]
    [TestCase(LinuxErrors.TryAgain, SocketOutcome.WouldBlock)]
    [TestCase(LinuxErrors.BadDescriptor, SocketOutcome.Closed)]
    public void What_a_single_datagram_is_refused_for_is_not_offloads_fault(int error, SocketOutcome expected)
    {
        // A kernel says Invalid to a run whose datagrams are too long for the path, and MessageSize to each of them.
        Script script = new() { OfRuns = LinuxErrors.Invalid, OfSingles = error };
        RunSender sender = new(isOn: true);

        SocketOutcome outcome = Send(ref sender, script, 350);

        Assert.That(outcome, Is.EqualTo(expected));
        Assert.That((sender.IsOn, sender.Refusals, script.TakenBytes), Is.EqualTo((true, 0L, 0)));
    }

    [Test]
    public void A_system_full_in_the_middle_of_a_refused_run_says_so_and_takes_the_first_ones()
    {
        Script script = new() { OfRuns = LinuxErrors.InputOutput, SinglesTaken = 2, OfSingles = LinuxErrors.TryAgain };
        RunSender sender = new(isOn: true);

        SocketOutcome outcome = Send(ref sender, script, 350);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.WouldBlock));
        Assert.That((script.TakenBytes, sender.IsOn, sender.Refusals), Is.EqualTo((200, false, 1L)));
    }

    [Test]
    public void A_full_system_is_not_asked_again_for_the_rest([Values] bool isOn)
    {
        Script script = new() { OfRuns = LinuxErrors.TryAgain, OfSingles = LinuxErrors.TryAgain };
        RunSender sender = new(isOn);

        SocketOutcome outcome = Send(ref sender, script, 350);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.WouldBlock));
        Assert.That((script.Calls.Count, sender.Refusals), Is.EqualTo((1, 0L)));
    }

    [TestCase(1_472, 64, 44)]
    [TestCase(1_024, 64, 63)]
    [TestCase(1_023, 64, 64)]
    [TestCase(40_000, 64, 1)]
    public void No_call_carries_more_than_a_datagram_may_be_long(int bytes, int count, int mostPerCall)
    {
        Script script = new();
        RunSender sender = new(isOn: true);

        SocketOutcome outcome = sender.Send(script, new byte[bytes * count], bytes);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.Done));
        Assert.That(script.Calls[0].Bytes, Is.EqualTo(mostPerCall * bytes));
        Assert.That(script.Calls.Select(static call => call.Bytes), Is.All.LessThanOrEqualTo(RunSender.MostBytes));
        Assert.That(script.TakenBytes, Is.EqualTo(bytes * count));
    }

    [Test]
    public void Without_offload_each_datagram_is_a_call()
    {
        Script script = new();
        RunSender sender = new(isOn: false);

        Send(ref sender, script, 250);

        Assert.That(script.Calls, Is.EqualTo(new[] { (100, 0), (100, 0), (50, 0) }));
    }

    [TestCase(LinuxErrors.TryAgain, SocketOutcome.WouldBlock)]
    [TestCase(LinuxErrors.NoMemory, SocketOutcome.WouldBlock)]
    [TestCase(LinuxErrors.MessageSize, SocketOutcome.TooLarge)]
    [TestCase(111, SocketOutcome.EarlierSendRefused)]   // ECONNREFUSED: nobody listens on a port
    [TestCase(113, SocketOutcome.EarlierSendRefused)]   // EHOSTUNREACH
    [TestCase(92, SocketOutcome.EarlierSendRefused)]    // ENOPROTOOPT: no UDP over there
    [TestCase(LinuxErrors.BadDescriptor, SocketOutcome.Closed)]
    public void News_while_receiving_is_told_from_the_end(int error, SocketOutcome expected)
        => Assert.That(LinuxErrors.OutcomeOfReceive(error), Is.EqualTo(expected));

    private static SocketOutcome Send(ref RunSender sender, Script script, int bytes)
        => sender.Send(script, new byte[bytes], DatagramBytes);

    /// <summary>A system that answers as it is told.</summary>
    private sealed class Script : ISendCall
    {
        internal List<(int Bytes, int SegmentBytes)> Calls { get; } = [];

        internal int OfRuns { get; set; }

        internal int OfSingles { get; init; }

        /// <summary>Single datagrams taken before they are answered for with <see cref="OfSingles"/>.</summary>
        internal int SinglesTaken { get; set; }

        internal int TakenBytes { get; private set; }

        public int Send(ReadOnlySpan<byte> datagrams, int segmentBytes)
        {
            Calls.Add((datagrams.Length, segmentBytes));
            int error = segmentBytes > 0 ? OfRuns : SinglesTaken-- > 0 ? LinuxErrors.None : OfSingles;
            TakenBytes += error == LinuxErrors.None ? datagrams.Length : 0;
            return error;
        }
    }
}

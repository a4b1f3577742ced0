using System.Globalization;
using Gudp.Bench.Load;

namespace Gudp.Tests.Processes;

/// <summary>
/// What this assembly does when it is run and not tested: one end of a test that needs a process of its own, to be killed.
/// </summary>
internal static class ChildProgram
{
    /// <summary>Receives, and writes down what it took.</summary>
    internal const string Receiver = "receiver";

    /// <summary>Sends, and writes down what it was told was taken.</summary>
    internal const string Sender = "sender";

    /// <summary>Is a member of a run, until it is killed.</summary>
    internal const string Member = "member";

    private static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case [Receiver, string journal]:
                ReceiptReceiver.Run(journal);
                return 0;
            case [Sender, string port, string journal]:
                ReceiptSender.Run(int.Parse(port, CultureInfo.InvariantCulture), journal);
                return 0;
            case [Member, string port, string file, string point, string at]:
                new VictimMember(file, Enum.Parse<KillPoint>(point), long.Parse(at, CultureInfo.InvariantCulture))
                    .Run(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            case [LoadNode.Name, string plan]:
                return LoadNode.Run(plan);
            default:
                Console.Error.WriteLine($"Run by tests only: {Receiver} JOURNAL, {Sender} PORT JOURNAL, {Member} ...");
                return 2;
        }
    }
}

using System.Text;
using Gudp.Core.Engine;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The connection machine: every state with every event, against its document.</summary>
[TestFixture]
internal sealed class ConnectionStateTests
{
    private static readonly ConnectionState[] States = Enum.GetValues<ConnectionState>();
    private static readonly ConnectionEvent[] Events = Enum.GetValues<ConnectionEvent>();

    // The way of a connection: it never goes back, it only skips.
    private static readonly ConnectionState[] Order =
    [
        ConnectionState.Idle, ConnectionState.Opening, ConnectionState.Open, ConnectionState.Flushing,
        ConnectionState.Closing, ConnectionState.Draining, ConnectionState.Ended,
    ];

    [Test]
    public void The_document_shows_the_table_of_the_code()
    {
        string document = File.ReadAllText(Repository.PathOf("docs", "protocol", "states.md"));
        string table = PrintTable();
        TestContext.Out.WriteLine(table);

        Assert.That(document.ReplaceLineEndings("\n"), Does.Contain(table));
    }

    [Test]
    public void Nothing_leads_out_of_the_end([ValueSource(nameof(Events))] ConnectionEvent happened)
    {
        bool isAllowed = ConnectionTable.TryNext(ConnectionState.Ended, happened, out ConnectionState next);

        Assert.That(isAllowed, Is.False);
        Assert.That(next, Is.EqualTo(ConnectionState.Ended));
    }

    [Test]
    public void A_connection_only_goes_forward(
        [ValueSource(nameof(States))] ConnectionState state, [ValueSource(nameof(Events))] ConnectionEvent happened)
    {
        bool isAllowed = ConnectionTable.TryNext(state, happened, out ConnectionState next);

        Assert.That(Array.IndexOf(Order, next) > Array.IndexOf(Order, state), Is.EqualTo(isAllowed));
    }

    [Test]
    public void Every_state_can_be_cut_off([ValueSource(nameof(States))] ConnectionState state)
    {
        ConnectionTable.TryNext(state, ConnectionEvent.CutOff, out ConnectionState next);

        Assert.That(next, Is.EqualTo(ConnectionState.Ended));
    }

    [Test]
    public void Every_state_but_the_first_is_reached()
    {
        HashSet<ConnectionState> reached = [];

        foreach (ConnectionState state in States)
        {
            foreach (ConnectionEvent happened in Events)
            {
                if (ConnectionTable.TryNext(state, happened, out ConnectionState next))
                {
                    reached.Add(next);
                }
            }
        }

        Assert.That(reached, Is.EquivalentTo(States.Except([ConnectionState.Idle])));
    }

    private static string PrintTable()
    {
        StringBuilder table = new();
        table.Append("| Event | ").AppendJoin(" | ", States).Append(" |\n");
        table.Append("|---|").Insert(table.Length, "---|", States.Length).Append('\n');

        foreach (ConnectionEvent happened in Events)
        {
            table.Append($"| {happened} |");

            foreach (ConnectionState state in States)
            {
                bool isAllowed = ConnectionTable.TryNext(state, happened, out ConnectionState next);
                table.Append(isAllowed ? $" {next} |" : " - |");
            }

            table.Append('\n');
        }

        return table.ToString();
    }
}

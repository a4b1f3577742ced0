namespace Gudp.Core;

/// <summary>
/// How much one turn of the loop does of each kind, so that no kind starves another. <c>default</c> is the documented
/// default.
/// </summary>
public readonly record struct TurnBudgets
{
    internal static readonly ConfigTable<TurnBudgets> Table = new ConfigTable<TurnBudgets>()
        .Count(nameof(Commands), c => c.Commands, (c, v) => c with { Commands = v }, (1, Most), Reason)
        .Count(nameof(ReceiveDatagrams), c => c.ReceiveDatagrams, (c, v) => c with { ReceiveDatagrams = v }, (1, Most),
            Reason)
        .Count(nameof(TransmitDatagrams), c => c.TransmitDatagrams, (c, v) => c with { TransmitDatagrams = v },
            (1, Most), Reason);

    private const int Most = 65_536;
    private const string Reason = "a turn must do something of each kind and must end";
    private const int DefaultCommands = 256;
    private const int DefaultDatagrams = 512;

    private readonly int? _commands;
    private readonly int? _receiveDatagrams;
    private readonly int? _transmitDatagrams;

    /// <summary>Requests of user threads taken in one turn. Default 256; 1 to 65,536.</summary>
    /// <remarks>More favours throughput of many small requests over the delay of received packets.</remarks>
    public int Commands
    {
        get => _commands ?? DefaultCommands;
        init => _commands = value == DefaultCommands ? null : value;
    }

    /// <summary>Datagrams received in one turn. Default 512; 1 to 65,536.</summary>
    /// <remarks>At about 1 us each the budget bounds how long received packets delay sending.</remarks>
    public int ReceiveDatagrams
    {
        get => _receiveDatagrams ?? DefaultDatagrams;
        init => _receiveDatagrams = value == DefaultDatagrams ? null : value;
    }

    /// <summary>Datagrams sent in one turn. Default 512; 1 to 65,536.</summary>
    /// <remarks>At about 1 us each the budget bounds how long sending delays received packets.</remarks>
    public int TransmitDatagrams
    {
        get => _transmitDatagrams ?? DefaultDatagrams;
        init => _transmitDatagrams = value == DefaultDatagrams ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}

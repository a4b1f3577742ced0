using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>
/// How many messages ended how: accepted = received + expired + cancelled + unknown, and so for the takes.
/// </summary>
internal sealed class MixedAccount
{
    private readonly int[] _transfers = new int[Enum.GetValues<TransferState>().Length];
    private readonly int[] _takes = new int[Enum.GetValues<TakeState>().Length];

    internal int Accepted { get; private set; }

    internal int AskedTaken { get; private set; }

    internal int this[TransferState state] => _transfers[(int)state];

    internal int this[TakeState state] => _takes[(int)state];

    internal void Add(LaneMessage sent)
    {
        Accepted++;
        AskedTaken += sent.Options.NotifyTaken ? 1 : 0;
        _transfers[(int)sent.Receipt.Transfer]++;
        _takes[(int)sent.Receipt.Take]++;
    }

    internal void Add(MixedAccount other)
    {
        Accepted += other.Accepted;
        AskedTaken += other.AskedTaken;

        for (int i = 0; i < _transfers.Length; i++)
        {
            _transfers[i] += other._transfers[i];
            _takes[i] += other._takes[i];
        }
    }

    internal void AssertExact(string name)
    {
        int ended = this[TransferState.Received] + this[TransferState.Expired] + this[TransferState.Cancelled]
            + this[TransferState.Unknown];
        int told = this[TakeState.Taken] + this[TakeState.Refused] + this[TakeState.Expired] + this[TakeState.Unknown];

        if (ended != Accepted || told != AskedTaken)
        {
            Assert.Fail($"{name}: of {Accepted} accepted {ended} ended, of {AskedTaken} asked {told}.");
        }
    }

    public override string ToString()
        => $"{Accepted} accepted: {Join<TransferState>(_transfers)}; "
            + $"{AskedTaken} asked to be told: {Join<TakeState>(_takes)}";

    private static string Join<TState>(int[] counts)
        where TState : struct, Enum
        => string.Join(", ", Enum.GetValues<TState>().Select((state, i) => $"{counts[i]} {state}"));
}

using System;

namespace Gudp.Core;

/// <summary>What is promised for a packet of <see cref="Connection"/> (P-8.1).</summary>
public enum PacketDelivery : byte
{
    /// <summary>At most once, in any order; nobody is told what became of it.</summary>
    Unreliable,

    /// <summary>As <see cref="Unreliable"/>, and its fate is reported exactly once (G32).</summary>
    Notify,

    /// <summary>
    /// Exactly once, in any order, as long as the connection lives: what is lost goes out again (P-8.3).
    /// </summary>
    Reliable,
}

/// <summary>How a packet is sent. <c>default</c> is an unreliable one.</summary>
public readonly record struct PacketOptions
{
    /// <summary>What is promised.</summary>
    public PacketDelivery Delivery { get; init; }

    /// <summary>
    /// Reliable packets: after so long it is given up, with <see cref="PacketOutcome.TimedOut"/>; it may have arrived
    /// all the same. Zero, the default, or less: as long as the connection lives. Counts from the send, in whole milliseconds,
    /// rounded up, and is looked at once the connection is open. Others ignore it.
    /// </summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>
    /// Reliable packets: report <see cref="PacketOutcome.Received"/> too. Without it only what went wrong is reported.
    /// </summary>
    public bool NotifyReceived { get; init; }
}

/// <summary>Names one sent packet of one connection.</summary>
/// <param name="Value">Above 0; 0 names none. Never used twice by a connection; no order is promised.</param>
public readonly record struct PacketTicket(long Value);

/// <summary>What became of a packet.</summary>
public enum PacketOutcome : byte
{
    /// <summary>
    /// The peer acknowledged it. An unreliable or notify packet may still have been dropped there because nobody read.
    /// </summary>
    Received,

    /// <summary>
    /// Notify: it was declared lost, or had become larger than the path carries. Stays so if it arrives late after all.
    /// </summary>
    Lost,

    /// <summary>Reliable: its <see cref="PacketOptions.Timeout"/> was over before an acknowledgement came.</summary>
    TimedOut,

    /// <summary><see cref="Connection.TryCancel"/> came first. It may have arrived, or may still.</summary>
    Cancelled,

    /// <summary>The connection ended first.</summary>
    Unknown,
}

/// <summary>The outcome of a packet; reported once.</summary>
/// <param name="Ticket">What the send gave.</param>
/// <param name="Outcome">What became of it.</param>
public readonly record struct PacketUpdate(PacketTicket Ticket, PacketOutcome Outcome);

using System;
using System.Threading;
using Gudp.Core.Packets;
using Gudp.Core.Wire;

namespace Gudp.Core;

// The packets of a connection that has no message layer; PacketMailbox does the work.
public sealed partial class Connection : IMailboxHost
{
    private bool _isProbeAsked;

    /// <summary>The largest packet that may be sent now, bytes, whatever is promised for it.</summary>
    /// <remarks>Grows or shrinks with the path; what is queued already is not affected (P-8.9).</remarks>
    public int MaxPacketBytes => PacketBytesIn(_host.MaxFrameBytes);

    /// <summary>
    /// Queues one unreliable packet. Never blocks, never throws for a full or closed connection. Any thread.
    /// </summary>
    /// <param name="packet">Copied before the method returns; 0 bytes up to <see cref="MaxPacketBytes"/>.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; <see cref="SendStatus.TooLarge"/>: beyond <see cref="MaxPacketBytes"/>;
    /// <see cref="SendStatus.PeerFull"/>: <c>Connections.Queues.SendBytes</c> or <c>SendPackets</c> is used up, try
    /// again after a while; <see cref="SendStatus.UpdatesFull"/>: <see cref="TakeUpdates"/> first (not for unreliable
    /// packets); <see cref="SendStatus.DaemonFull"/>: <c>MemoryBudgetBytes</c> is used up;
    /// <see cref="SendStatus.NotOpen"/>: a message layer owns the connection; <see cref="SendStatus.Closed"/>:
    /// <see cref="CloseReason"/> tells why.
    /// </returns>
    public SendStatus TrySend(ReadOnlySpan<byte> packet) => TrySend(packet, PacketDelivery.Unreliable);

    /// <summary>
    /// Queues one packet without a ticket; what became of a notify packet is still reported. Any thread.
    /// </summary>
    /// <param name="packet">Copied before the method returns; 0 bytes up to <see cref="MaxPacketBytes"/>.</param>
    /// <param name="delivery">What is promised. A reliable one is repeated until the peer has it.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte})"/>.</returns>
    public SendStatus TrySend(ReadOnlySpan<byte> packet, PacketDelivery delivery)
        => TrySend(packet, new PacketOptions { Delivery = delivery }, wantsTicket: false, out _);

    /// <summary>Queues one packet and names it, so that its outcome can be told and it can be cancelled.</summary>
    /// <param name="packet">Copied before the method returns; 0 bytes up to <see cref="MaxPacketBytes"/>.</param>
    /// <param name="options">What is promised, and for how long.</param>
    /// <param name="ticket">Names it, if accepted and not unreliable; else none.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte})"/>.</returns>
    public SendStatus TrySend(ReadOnlySpan<byte> packet, in PacketOptions options, out PacketTicket ticket)
        => TrySend(packet, options, wantsTicket: true, out ticket);

    /// <summary>
    /// As <see cref="TrySend(ReadOnlySpan{byte}, in PacketOptions, out PacketTicket)"/>, but the caller writes the
    /// packet where it will be sent from: one copy less. Any thread.
    /// </summary>
    /// <param name="length">0 to <see cref="MaxPacketBytes"/>.</param>
    /// <param name="options">What is promised, and for how long.</param>
    /// <param name="claim">To be committed or abandoned, if accepted.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte})"/>.</returns>
    public SendStatus TryClaim(int length, in PacketOptions options, out PacketClaim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        SendStatus refused = WhyNot(length);

        if (refused != SendStatus.Accepted)
        {
            claim = default;
            return refused;
        }

        return _mailbox!.TryClaim(length, options, out claim);
    }

    /// <summary>
    /// Gives a packet up: it is not sent again, and its outcome is <see cref="PacketOutcome.Cancelled"/>. It may have
    /// arrived, or may still. Any thread.
    /// </summary>
    /// <returns>True if its outcome was not known yet.</returns>
    public bool TryCancel(PacketTicket ticket) => _mailbox is not null && _mailbox.TryCancel(ticket);

    /// <summary>
    /// Takes outcomes of packets with a ticket, oldest first: exactly one each. Any thread, also after the end, which
    /// decides all that were open (<see cref="PacketOutcome.Unknown"/>).
    /// </summary>
    /// <returns>How many were written to <paramref name="destination"/>.</returns>
    public int TakeUpdates(Span<PacketUpdate> destination) => _mailbox?.TakeUpdates(destination) ?? 0;

    /// <summary>Waits until <see cref="TakeUpdates"/> would find something. Any number of threads.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> waits for an update or the end.</param>
    /// <returns>True if something waits to be taken; false: the time is over, or none will come any more.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public bool WaitForUpdates(TimeSpan timeout) => _mailbox is not null && _mailbox.WaitForUpdates(timeout);

    /// <summary>Takes the next received packet if there is one. Never blocks. Any thread.</summary>
    /// <param name="destination">Receives the packet.</param>
    /// <param name="length">Its bytes; with <see cref="ReceiveStatus.BufferTooSmall"/> the bytes it needs.</param>
    /// <returns>
    /// Received; Empty; BufferTooSmall: the packet stays for a larger buffer (G18); Closed: everything received was
    /// taken and nothing more will come (G16).
    /// </returns>
    public ReceiveStatus TryReceive(Span<byte> destination, out int length)
    {
        length = 0;
        return _mailbox is null ? ReceiveStatus.Empty : _mailbox.TryReceive(destination, out length);
    }

    /// <summary>
    /// As <see cref="TryReceive"/>, and waits for a packet. Any number of threads may wait at once (G8).
    /// </summary>
    /// <param name="destination">Receives the packet.</param>
    /// <param name="timeout">How long to wait; <see cref="Timeout.InfiniteTimeSpan"/> waits for the packet or the
    /// end.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>As <see cref="TryReceive"/>; TimedOut instead of Empty.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public ReceiveStatus Receive(Span<byte> destination, TimeSpan timeout, out int length)
    {
        length = 0;
        return _mailbox is null ? ReceiveStatus.Empty : _mailbox.Receive(destination, timeout, out length);
    }

    int IMailboxHost.MaxFrameBytes => _host.MaxFrameBytes;

    ITurnWatch? IMailboxHost.Watch => _loop.Turns;

    Instant IMailboxHost.Now => _loop.Clock.Now;

    ConnectionCounterSet IMailboxHost.Counters => Counters;

    bool IMailboxHost.IsFinal => _status.Read().IsFinal;

    void IMailboxHost.Wake() => Touch();

    void IMailboxHost.WakeToSend(int bytes) => TouchToSend(bytes);

    void IMailboxHost.AskProbe() => _isProbeAsked = true;

    internal static int PacketBytesIn(int frameBytes)
        => frameBytes - UserPacketFrame.ReliableOverhead(UserPacketFrame.MaxId, frameBytes);

    private SendStatus TrySend(
        ReadOnlySpan<byte> packet, in PacketOptions options, bool wantsTicket, out PacketTicket ticket)
    {
        ticket = default;
        SendStatus status = WhyNot(packet.Length);

        if (status == SendStatus.Accepted)
        {
            status = _mailbox!.TryPost(packet, options, wantsTicket, out ticket);
        }

        if (status == SendStatus.Accepted)
        {
            TouchToSend(packet.Length);
        }

        return status;
    }

    private SendStatus WhyNot(int length)
    {
        if (_mailbox is null)
        {
            return SendStatus.NotOpen;
        }

        if (length > MaxPacketBytes)
        {
            return SendStatus.TooLarge;
        }

        return _status.Read().IsFinal ? SendStatus.Closed : SendStatus.Accepted;
    }
}

using System;
using Gudp.Core.Packets;

namespace Gudp.Core;

/// <summary>Room for one packet, written in place: commit it to send, or abandon it to give the room back.</summary>
/// <remarks>
/// An open claim counts against <c>Connections.Queues</c>; end it also when writing fails. Not disposable on purpose: a
/// using statement would work on a copy, which does not know that the original was committed. One thread.
/// </remarks>
public ref struct PacketClaim
{
    private readonly PacketMailbox _mailbox;
    private readonly long _handle;
    private bool _isOpen;

    internal PacketClaim(PacketMailbox mailbox, long handle, Span<byte> room)
    {
        _mailbox = mailbox;
        _handle = handle;
        _isOpen = true;
        Span = room;
    }

    /// <summary>Where the packet is written; as long as it was claimed, with undefined content at first.</summary>
    public readonly Span<byte> Span { get; }

    /// <summary>Sends the packet. The span must not be written from here on.</summary>
    /// <param name="ticket">As <see cref="Connection.TrySend(ReadOnlySpan{byte}, in PacketOptions, out PacketTicket)"/>
    /// gives it.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; <see cref="SendStatus.Closed"/>: the connection ended meanwhile. The claim is
    /// over either way.
    /// </returns>
    /// <exception cref="InvalidOperationException">The claim is over already.</exception>
    public SendStatus Commit(out PacketTicket ticket)
    {
        if (!_isOpen)
        {
            throw new InvalidOperationException("A claim is committed or abandoned once.");
        }

        _isOpen = false;
        return _mailbox.Commit(_handle, out ticket);
    }

    /// <summary>As <see cref="Commit(out PacketTicket)"/>.</summary>
    public SendStatus Commit() => Commit(out _);

    /// <summary>Gives the room back; the peer never sees it. Without effect on a claim that is over.</summary>
    public void Abandon()
    {
        if (_isOpen)
        {
            _isOpen = false;
            _mailbox.Abandon(_handle);
        }
    }
}

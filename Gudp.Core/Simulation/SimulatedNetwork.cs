using System;
using System.Collections.Generic;
using Gudp.Core.Sockets;

namespace Gudp.Core.Simulation;

// A whole network in one thread and in virtual time. A datagram's fate is decided when it is sent (its link, the
// link's draws); then it waits in a queue ordered by arrival until AdvanceTo passes that moment and puts it into the
// receive buffer of whoever listens there by then.
//
// Draws are keyed by (seed, direction, number in that direction): adding a host, a link or a datagram elsewhere
// changes no other datagram's fate. Directions are named by the addresses of the hosts, not by their order.

/// <summary>
/// Hosts, links and a clock that exist in this object only. Everything follows from one seed: the same calls give the
/// same run, on every machine, proved by <see cref="TraceHash"/>.
/// </summary>
/// <remarks>
/// One thread drives it: run each daemon's ProcessIO, then <see cref="AdvanceTo"/> the earlier of
/// <see cref="NextArrival"/> and the daemons' next deadlines, and again. In its steady state it allocates nothing.
/// Always true: datagrams begun (sent, injected, copied) = datagrams ended + datagrams under way.
/// </remarks>
public sealed class SimulatedNetwork
{
    private const uint FirstAutomaticIPv4 = 0x0A00_0001;

    private readonly ulong _seed;
    private readonly VirtualTime _time = new();
    private readonly Dictionary<PeerAddress, SimulatedHost> _hosts = [];
    private readonly Dictionary<PeerAddress, SimulatedSocket> _sockets = [];
    private readonly Dictionary<long, SimulatedLink> _links = [];
    private readonly PriorityQueue<int, Arrival> _underWay = new();
    private readonly SimulatedNat _nat = new();
    private readonly LinkQueue _bottleneck = new();
    private SimulatedFaults _faults;
    private RunningHash _trace;
    private LinkModel _defaultLink = LinkModel.Perfect;
    private SocketModel _socketModel = SocketModel.Plain;
    private long _scheduled;
    private int _epoch;     // grows when a host or a mapping comes: routes of before are looked up again

    /// <summary>An empty network at time 0.</summary>
    /// <param name="seed">Decides every draw.</param>
    public SimulatedNetwork(ulong seed) => _seed = seed;

    /// <summary>
    /// The clock for the daemons: ten million ticks a second, the date starts at 2000-01-01 UTC. It has no timers.
    /// </summary>
    public TimeProvider Time => _time;

    /// <summary>Virtual time; starts at 0.</summary>
    public Instant Now => _time.Now;

    /// <summary>Where no link was set. A host's link to itself is perfect unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">See <see cref="LinkModel.Validate"/>.</exception>
    public LinkModel DefaultLink
    {
        get => _defaultLink;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            value.Validate();
            _defaultLink = value;
        }
    }

    /// <summary>
    /// All links between hosts wait in one queue for one rate, as those who share an access line do; chances, delays and
    /// clogs stay each link's own. For networks in which no link but <see cref="DefaultLink"/> is set. Off by default:
    /// each link has a rate of its own.
    /// </summary>
    public bool HasOneBottleneck { get; init; }

    /// <summary>How the system of every host deals with runs of datagrams. By default it has none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">See <see cref="SocketModel.Validate"/>.</exception>
    public SocketModel Sockets
    {
        get => _socketModel;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            value.Validate();
            _socketModel = value;
        }
    }

    /// <summary>When the next datagram arrives: now or later; never if none is under way.</summary>
    public Instant NextArrival
        => _underWay.TryPeek(out _, out Arrival next) ? Instant.Later(next.At, Now) : Instant.Never;

    /// <summary>Counts of what happened so far.</summary>
    public SimulatedFaults Faults => _faults;

    /// <summary>Datagrams that wait for their arrival.</summary>
    public int UnderWay => _underWay.Count;

    /// <summary>A hash over time, sender, receiver and bytes of every datagram sent and delivered, in order.</summary>
    public ulong TraceHash => _trace.Value;

    internal DatagramStore Store { get; } = new();

    /// <summary>Adds a host at the next free address from 10.0.0.1 on.</summary>
    public SimulatedHost AddHost()
    {
        uint ipv4 = FirstAutomaticIPv4;

        while (_hosts.ContainsKey(PeerAddress.FromIPv4(ipv4, 0)))
        {
            ipv4++;
        }

        return AddHost(ipv4);
    }

    /// <summary>Adds a host.</summary>
    /// <param name="ipv4">Its address, the first octet on top: 0x0A000001 is 10.0.0.1.</param>
    public SimulatedHost AddHost(uint ipv4) => AddHost(PeerAddress.FromIPv4(ipv4, 0));

    /// <summary>Adds a host, or starts one again that was disposed; its links are the old ones.</summary>
    /// <param name="address">IPv4 or IPv6, not an any address. The port is not looked at.</param>
    /// <exception cref="ArgumentException">A host of this address is alive.</exception>
    public SimulatedHost AddHost(PeerAddress address)
    {
        PeerAddress key = address.WithPort(0);

        if (key.IsAny)
        {
            throw new ArgumentException($"{address} stands for every address; a host needs one.", nameof(address));
        }

        int index = _hosts.Count;

        if (_hosts.TryGetValue(key, out SimulatedHost? former))
        {
            if (!former.IsDisposed)
            {
                throw new ArgumentException($"A host at {address} is alive; dispose it first.", nameof(address));
            }

            index = former.Index;
        }

        var host = new SimulatedHost(this, key, index);
        _hosts[key] = host;
        _epoch++;
        return host;
    }

    /// <summary>Sets one direction; datagrams under way are not affected. Null gives it back to the default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">See <see cref="LinkModel.Validate"/>.</exception>
    public void SetLink(SimulatedHost from, SimulatedHost to, LinkModel? model)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        model?.Validate();
        LinkFrom(from, to).Model = model;
    }

    /// <summary>Sets both directions between two hosts; see <see cref="SetLink"/>.</summary>
    public void SetLinks(SimulatedHost first, SimulatedHost second, LinkModel? model)
    {
        SetLink(first, second, model);
        SetLink(second, first, model);
    }

    /// <summary>The model of one direction as it is now.</summary>
    public LinkModel LinkOf(SimulatedHost from, SimulatedHost to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return ModelOf(LinkFrom(from, to), from, to);
    }

    /// <summary>How long a datagram sent now would wait for the rate of one direction.</summary>
    internal TimeSpan QueueDelayOf(SimulatedHost from, SimulatedHost to) => LinkFrom(from, to).QueueDelay(Now);

    /// <summary>What decides the fates on one direction: foretells them, datagram by datagram.</summary>
    /// <param name="from">The sending host's address; its port is not looked at.</param>
    /// <param name="to">The receiving host's address; its port is not looked at.</param>
    public LinkDraws DrawsOf(PeerAddress from, PeerAddress to)
        => new(_seed, DirectionOf(from.WithPort(0), to.WithPort(0)));

    /// <summary>
    /// A translator in front of a host gives one socket a new mapping, as home routers do: from now on its datagrams
    /// come from <paramref name="outside"/>, what is sent there reaches it, and its former address leads nowhere, also
    /// for what is under way. The way stays the host's: its links, whatever the address.
    /// </summary>
    /// <remarks>The socket does not notice, as in life. A mapping outlives the socket, and serves its successor.</remarks>
    /// <param name="local">The socket's own address, or the one it will be opened at.</param>
    /// <param name="outside">What its peers see; the socket's own address ends the translation.</param>
    /// <exception cref="ArgumentException">Somebody else is seen there, or it is no address of a peer.</exception>
    public void Rebind(PeerAddress local, PeerAddress outside)
    {
        bool isSomebodyElse = outside != local && (Find(outside) is not null || _nat.IsTaken(outside));

        if (isSomebodyElse || outside.IsAny || outside.Port == 0 || outside.IsIPv4 != local.IsIPv4)
        {
            throw new ArgumentException($"{local} cannot be seen as {outside}.", nameof(outside));
        }

        _nat.Map(local, outside);
        _epoch++;
        _faults.Rebindings++;
    }

    /// <summary>As the other one, with an outside address that nobody had before.</summary>
    /// <param name="local">The socket's own address.</param>
    /// <param name="changesAddress">Not only the port is new. With IPv4 only.</param>
    /// <returns>What its peers see from now on: ports from 50,000, addresses from 100.64.0.1 on.</returns>
    public PeerAddress Rebind(PeerAddress local, bool changesAddress)
    {
        PeerAddress outside = _nat.Next(local, changesAddress);
        Rebind(local, outside);
        return outside;
    }

    /// <summary>The address under which its peers see a socket.</summary>
    public PeerAddress OutsideOf(PeerAddress local) => _nat.OutsideOf(local);

    /// <summary>
    /// Lets time pass and delivers what arrives until then, the end included, in order of arrival; what arrives at the
    /// same moment in the order it was sent.
    /// </summary>
    /// <param name="moment">Now or later, not never. Now delivers what needs no time.</param>
    public void AdvanceTo(Instant moment)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(moment, Now);
        ArgumentOutOfRangeException.ThrowIfEqual(moment, Instant.Never);

        while (_underWay.TryPeek(out int slot, out Arrival next) && next.At <= moment)
        {
            _underWay.Dequeue();
            _time.Now = Instant.Later(next.At, Now);
            Deliver(slot);
        }

        _time.Now = moment;
        Invariant.Require(
            _faults.Begun == _faults.Ended + _underWay.Count,
            "Each datagram begun has ended or is under way.");
    }

    /// <summary>
    /// Puts in a datagram that no socket sent: a spoofed sender, a replay. It passes no link and arrives with the next
    /// <see cref="AdvanceTo"/>. Both addresses are those that peers see.
    /// </summary>
    public void Inject(PeerAddress from, PeerAddress to, ReadOnlySpan<byte> datagram)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagram.Length, LinkModel.MaxDatagramBytes);
        _faults.Injected++;
        Schedule(new SentDatagram(DatagramTrace.Of(from, to, datagram), from, to, datagram), Now);
    }

    /// <summary>What one socket draws for what it sends, or for what it receives.</summary>
    internal Prng DrawsOf(PeerAddress local, bool isSending)
        => new(LinkDraws.Mix(_seed ^ LinkDraws.Mix(RunningHash.NumberOf(local) + (isSending ? 1UL : 2UL))));

    /// <summary>A socket's host did not take so many datagrams, because they are too long, or for a while.</summary>
    internal void NoteUnsent(int datagrams, SocketOutcome outcome)
    {
        if (outcome == SocketOutcome.TooLarge)
        {
            _faults.Refused += datagrams;
        }
        else
        {
            _faults.Blocked += datagrams;
        }
    }

    internal void NoteRunSent() => _faults.RunsSent++;

    internal void NoteRunRefused() => _faults.RunsRefused++;

    internal void NoteRunReceived() => _faults.RunsReceived++;

    internal SimulatedSocket? Find(PeerAddress local) => _sockets.GetValueOrDefault(local);

    internal void Remember(SimulatedSocket socket) => _sockets.Add(socket.LocalAddress, socket);

    internal void Forget(SimulatedSocket socket)
    {
        _sockets.Remove(socket.LocalAddress);
        socket.Host.Forget(socket);
    }

    /// <summary>A socket sends one datagram.</summary>
    internal void Send(SimulatedSocket socket, PeerAddress to, ReadOnlySpan<byte> datagram)
    {
        _faults.Sent++;
        SimulatedRoute route = RouteOf(socket, to);
        DatagramTrace trace = new(route.FromNumber, route.ToNumber, RunningHash.Fingerprint(datagram));
        _trace.Add(isSend: true, Now, trace);

        if (route.Link is not { } link)
        {
            _faults.Undeliverable++;
            return;
        }

        LinkModel model = link.Model ?? (route.IsLoop ? LinkModel.Perfect : _defaultLink);
        LinkVerdict verdict = link.Send(model, datagram.Length, Now, out LinkTransit transit);

        switch (verdict)
        {
            case LinkVerdict.Passed:
                Pass(link, transit, new SentDatagram(trace, route.From, to, datagram));
                break;
            case LinkVerdict.Cut:
                _faults.CutDropped++;
                break;
            case LinkVerdict.Out:
                _faults.OutageDropped++;
                break;
            case LinkVerdict.TooLong:
                _faults.TooLongDropped++;
                break;
            case LinkVerdict.QueueFull:
                _faults.QueueDropped++;
                break;
            default:
                _faults.Lost++;
                break;
        }
    }

    private SimulatedRoute RouteOf(SimulatedSocket socket, PeerAddress to)
    {
        if (socket.Routes.TryFind(to, _epoch, out SimulatedRoute? known))
        {
            return known;
        }

        PeerAddress from = _nat.OutsideOf(socket.LocalAddress);
        SimulatedHost? receiver = _hosts.GetValueOrDefault(_nat.InsideOf(to).WithPort(0));
        SimulatedRoute route = new(from, to)
        {
            Link = receiver is null ? null : LinkFrom(socket.Host, receiver),
            IsLoop = receiver is not null && receiver.Index == socket.Host.Index,
        };
        socket.Routes.Add(route);
        return route;
    }

    private void Pass(SimulatedLink link, in LinkTransit transit, in SentDatagram datagram)
    {
        PacketFate fate = transit.Fate;
        int slot = Schedule(datagram, transit.Leaves + fate.Delay);

        if (transit.IsHeld)
        {
            _faults.Clogged++;
        }

        if (transit.IsSlowed)
        {
            _faults.Slowed++;
        }

        if (fate.IsReordered)
        {
            _faults.Reordered++;
        }

        if (fate.IsCorrupted)
        {
            ref StoredDatagram stored = ref Store.At(slot);
            stored.Length = link.Corrupt(transit.Packet, stored.Buffer.AsSpan(0, stored.Length));
            stored.Trace = stored.Trace with { Content = RunningHash.Fingerprint(stored.Bytes) };
            _faults.Corrupted++;
        }

        if (fate.IsDuplicated)
        {
            Schedule(datagram, transit.Leaves + fate.CopyDelay);
            _faults.Duplicated++;
        }
    }

    private int Schedule(in SentDatagram datagram, Instant at)
    {
        int slot = Store.Add(datagram);
        _underWay.Enqueue(slot, new Arrival(at, _scheduled++));
        return slot;
    }

    private void Deliver(int slot)
    {
        ref StoredDatagram datagram = ref Store.At(slot);
        PeerAddress inside = _nat.InsideOf(datagram.To);
        bool isOpen = _nat.IsOpen(datagram.To, inside);
        SimulatedSocket? socket = isOpen ? Find(inside) : null;

        if (socket is not null && socket.TryQueue(slot, datagram.Length))
        {
            _trace.Add(isSend: false, Now, datagram.Trace);
            _faults.Delivered++;
            return;
        }

        Store.Return(slot);

        if (!isOpen)
        {
            _faults.UnmappedDropped++;
        }
        else if (socket is null)
        {
            _faults.Undeliverable++;
        }
        else
        {
            _faults.OverflowDropped++;
        }
    }

    private SimulatedLink LinkFrom(SimulatedHost from, SimulatedHost to)
    {
        long key = ((long)from.Index << 32) | (uint)to.Index;

        if (!_links.TryGetValue(key, out SimulatedLink? link))
        {
            bool isShared = HasOneBottleneck && from.Index != to.Index;
            link = new SimulatedLink(DrawsOf(from.Address, to.Address), isShared ? _bottleneck : new LinkQueue());
            _links.Add(key, link);
        }

        return link;
    }

    private LinkModel ModelOf(SimulatedLink link, SimulatedHost from, SimulatedHost to)
        => link.Model ?? (from.Index == to.Index ? LinkModel.Perfect : _defaultLink);

    // The order matters: there and back are two directions.
    private static ulong DirectionOf(PeerAddress from, PeerAddress to)
        => LinkDraws.Mix(RunningHash.NumberOf(from)) + RunningHash.NumberOf(to);

    /// <summary>Moments are compared first, then the order of sending.</summary>
    private readonly record struct Arrival(Instant At, long Order) : IComparable<Arrival>
    {
        public int CompareTo(Arrival other)
        {
            int byTime = At.CompareTo(other.At);
            return byTime != 0 ? byTime : Order.CompareTo(other.Order);
        }
    }
}

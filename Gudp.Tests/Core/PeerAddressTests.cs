using System.Net;
using System.Net.Sockets;
using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class PeerAddressTests
{
    [TestCase("1.2.3.4:5")]
    [TestCase("0.0.0.0:0")]
    [TestCase("255.255.255.255:65535")]
    [TestCase("[::1]:80")]
    [TestCase("[::]:0")]
    [TestCase("[2001:db8::42]:40000")]
    [TestCase("[fe80::1%3]:7")]
    public void What_is_printed_is_read_again(string text)
    {
        bool isRead = PeerAddress.TryParse(text, out PeerAddress address);

        Assert.That(isRead, Is.True);
        Assert.That(address.ToString(), Is.EqualTo(text));
    }

    [TestCase("")]
    [TestCase("localhost:5")]
    [TestCase("1.2.3.4:65536")]
    [TestCase("1.2.3:x")]
    [TestCase("[::1:5")]
    public void Anything_else_is_not_read(string text)
        => Assert.That(PeerAddress.TryParse(text, out _), Is.False);

    [Test]
    public void A_mapped_IPv4_address_is_the_IPv4_address()
    {
        PeerAddress mapped = PeerAddress.From(IPAddress.Parse("::ffff:10.1.2.3"), 9);
        PeerAddress plain = PeerAddress.From(IPAddress.Parse("10.1.2.3"), 9);

        Assert.That(mapped, Is.EqualTo(plain));
        Assert.That(mapped.GetHashCode(), Is.EqualTo(plain.GetHashCode()));
        Assert.That(mapped.IsIPv4, Is.True);
        Assert.That(mapped.ToString(), Is.EqualTo("10.1.2.3:9"));
    }

    [TestCase("1.2.3.4:5", AddressFamily.InterNetwork)]
    [TestCase("1.2.3.4:5", AddressFamily.InterNetworkV6)]
    [TestCase("[2001:db8::42]:40000", AddressFamily.InterNetworkV6)]
    [TestCase("[fe80::1%3]:7", AddressFamily.InterNetworkV6)]
    public void A_socket_address_brings_it_back_through_either_family(string text, AddressFamily family)
    {
        PeerAddress address = Parsed(text);
        var socketAddress = new SocketAddress(family);

        address.Write(socketAddress, family);

        Assert.That(PeerAddress.Read(socketAddress), Is.EqualTo(address));
    }

    [TestCase("1.2.3.4:5")]
    [TestCase("[2001:db8::42]:40000")]
    [TestCase("[fe80::1%3]:7")]
    public void A_socket_address_is_the_one_the_framework_makes(string text)
    {
        PeerAddress address = Parsed(text);
        SocketAddress expected = IPEndPoint.Parse(text).Serialize();
        var written = new SocketAddress(expected.Family);

        address.Write(written, expected.Family);

        Assert.That(written, Is.EqualTo(expected));
    }

    [Test]
    public void A_reused_socket_address_keeps_nothing_of_the_one_before()
    {
        PeerAddress scoped = Parsed("[fe80::1%3]:7");
        PeerAddress plain = PeerAddress.LoopbackIPv4(9);
        var reused = new SocketAddress(AddressFamily.InterNetworkV6);

        scoped.Write(reused, AddressFamily.InterNetworkV6);
        plain.Write(reused, AddressFamily.InterNetworkV6);

        Assert.That(PeerAddress.Read(reused), Is.EqualTo(plain));
    }

    [TestCase("0.0.0.0:1", true)]
    [TestCase("[::]:1", true)]
    [TestCase("0.0.0.1:1", false)]
    [TestCase("[::1]:1", false)]
    public void Any_stands_for_every_local_address_of_its_family(string text, bool isAny)
    {
        PeerAddress address = Parsed(text);

        Assert.That(address.IsAny, Is.EqualTo(isAny));
    }

    [Test]
    public void Port_and_scope_are_part_of_the_address()
    {
        PeerAddress address = Parsed("[fe80::1%3]:7");
        PeerAddress otherScope = Parsed("[fe80::1%4]:7");

        Assert.That(address, Is.Not.EqualTo(otherScope));
        Assert.That(address.WithPort(8), Is.Not.EqualTo(address));
        Assert.That(address.WithPort(8).WithPort(7), Is.EqualTo(address));
    }

    [TestCase(-1)]
    [TestCase(65_536)]
    public void A_port_beyond_16_bits_is_refused(int port)
        => Assert.That(() => PeerAddress.AnyIPv4(port), Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static PeerAddress Parsed(string text)
        => PeerAddress.TryParse(text, out PeerAddress address)
            ? address
            : throw new ArgumentException(text, nameof(text));
}

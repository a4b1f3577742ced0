using Gudp.Core;
using Gudp.Tools;
using Gudp.Tools.Arguments;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class HostPortTests
{
    [TestCase("localhost:4000", "localhost", 4000)]
    [TestCase("127.0.0.1:1", "127.0.0.1", 1)]
    [TestCase("[::1]:65535", "::1", 65535)]
    [TestCase("a.b-c.example:80", "a.b-c.example", 80)]
    public void A_host_and_a_port_are_read(string text, string host, int port)
    {
        bool isRead = HostPort.TryParse(text, out HostPort? target, out _);

        Assert.That(isRead, Is.True);
        Assert.That(target, Is.EqualTo(new HostPort(host, port)));
        Assert.That(target!.ToString(), Is.EqualTo(text));
    }

    [TestCase("localhost")]
    [TestCase("")]
    [TestCase(":4000")]
    [TestCase("localhost:")]
    [TestCase("localhost:0")]
    [TestCase("localhost:65536")]
    [TestCase("localhost:x")]
    [TestCase("127.0.0.1")]
    [TestCase("127.0.0.1:0")]
    [TestCase("localhost:-1")]
    [TestCase("localhost:+5")]
    [TestCase("localhost:4 000")]
    [TestCase("my host:4000")]
    [TestCase("::1:4000", Description = "An IPv6 address may end in four digits itself.")]
    [TestCase("[127.0.0.1]:4000")]
    [TestCase("[::1:4000")]
    public void Anything_else_is_refused_with_a_sentence(string text)
    {
        bool isRead = HostPort.TryParse(text, out HostPort? target, out string problem);

        Assert.That(isRead, Is.False);
        Assert.That(target, Is.Null);
        Assert.That(problem, Does.EndWith("."));
    }

    [Test]
    public async Task An_address_needs_no_resolver()
    {
        IReadOnlyList<PeerAddress> found = await new HostPort("::1", 9).ResolveAsync(CancellationToken.None);

        Assert.That(found, Is.EqualTo(new[] { PeerAddress.LoopbackIPv6(9) }));
    }

    [Test]
    public async Task Localhost_stands_for_a_loopback_address()
    {
        IReadOnlyList<PeerAddress> found = await new HostPort("localhost", 9).ResolveAsync(CancellationToken.None);

        Assert.That(found, Is.Not.Empty);
        Assert.That(found, Is.SubsetOf(new[] { PeerAddress.LoopbackIPv4(9), PeerAddress.LoopbackIPv6(9) }));
    }

    [TestCase("no-such-host.invalid")]
    [TestCase("a..b")]
    public async Task An_unknown_host_is_a_failure_to_connect(string host)
    {
        CommandFailure? failure = await Assert.ThrowsAsync<CommandFailure>(
            async () => await new HostPort(host, 9).ResolveAsync(CancellationToken.None));

        Assert.That(failure!.Code, Is.EqualTo(ExitCode.NotConnected));
        Assert.That(failure.Message, Does.Contain(host));
    }
}

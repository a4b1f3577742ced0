using Gudp.Tools;
using Gudp.Tools.Output;
using Gudp.Tools.Watching;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class StatusLookTests
{
    [Test]
    public void Rates_are_those_between_two_looks()
    {
        StatusLook first = StatusLook.Read(
            """{"peers":[{"local":"a","remote":"b","bytesSent":1000,"messagesSent":10}],"peersLeftOut":0}""");
        StatusLook second = StatusLook.Read(
            """{"peers":[{"local":"a","remote":"b","bytesSent":3000,"messagesSent":60}],"peersLeftOut":0}""");

        IReadOnlyList<string> row = second.ToTable(first, TimeSpan.FromSeconds(2)).Rows[0];

        Assert.That(row[0], Is.EqualTo("b"));
        Assert.That(row[3], Is.EqualTo("1.0 KB/s"));
        Assert.That(row[5], Is.EqualTo("25"));
    }

    [Test]
    public void A_peer_seen_for_the_first_time_has_no_rates()
    {
        StatusLook look = StatusLook.Read("""{"peers":[{"remote":"b","bytesSent":1000}]}""");

        TextTable table = look.ToTable(earlier: null, TimeSpan.FromSeconds(1));

        Assert.That(table.Rows[0].Where(cell => cell == "-").Count(), Is.EqualTo(4));
    }

    [TestCase("")]
    [TestCase("hello")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("""{"peers":7}""")]
    [TestCase("""{"peers":[7]}""")]
    [TestCase("""{"peers":[],"peersLeftOut":"many"}""")]
    [TestCase("""{"peers":[[[[[[[[[[]]]]]]]]]]}""")]
    public void What_is_no_answer_is_refused_in_a_sentence(string text)
        => Assert.That(
            () => StatusLook.Read(text),
            Throws.TypeOf<CommandFailure>().With.Property("Code").EqualTo(ExitCode.CheckFailed));

    [TestCase("-5", 0)]
    [TestCase("1e300", 0)]
    [TestCase("\"7\"", 0)]
    [TestCase("9223372036854775807", 1L << 50)]
    public void Numbers_that_no_peer_can_have_do_no_harm(string number, long expected)
    {
        StatusLook look = StatusLook.Read($$"""{"peers":[{"bytesSent":{{number}},"rttMicroseconds":{{number}}}]}""");

        Assert.That(look.Peers[0].BytesSent, Is.EqualTo(expected));
        Assert.That(look.Peers[0].RoundTrip, Is.EqualTo(TimeSpan.FromMicroseconds(expected)));
    }
}

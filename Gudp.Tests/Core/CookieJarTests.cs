using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>S-10.1: what a cookie is bound to, and for how long.</summary>
[TestFixture]
public sealed class CookieJarTests
{
    private const ulong ClientId = 42;

    private static readonly PeerAddress Home = PeerAddress.LoopbackIPv4(7000);
    private static readonly Instant Start = new(90 * TimeSpan.TicksPerSecond);
    private static readonly byte[] Nonce = new byte[32];
    private static readonly byte[] Lists = [0, 1, 7];

    private static readonly byte[] OtherNonce = [.. Nonce[1..], 1];

    private static IEnumerable<TestCaseData> Strangers =>
    [
        new TestCaseData(PeerAddress.FromIPv4(0x0A000001, 7000), ClientId, Nonce, Lists).SetArgDisplayNames("address"),
        new TestCaseData(Home.WithPort(7001), ClientId, Nonce, Lists).SetArgDisplayNames("port"),
        new TestCaseData(Home, ClientId + 1, Nonce, Lists).SetArgDisplayNames("client"),
        new TestCaseData(Home, ClientId, OtherNonce, Lists).SetArgDisplayNames("nonce"),
        new TestCaseData(Home, ClientId, Nonce, new byte[] { 0, 1, 8 }).SetArgDisplayNames("modes"),
    ];

    [TestCaseSource(nameof(Strangers))]
    public void A_cookie_is_of_no_use_to_anybody_else(PeerAddress from, ulong client, byte[] nonce, byte[] lists)
    {
        CookieJar jar = NewJar();
        byte[] cookie = Bake(jar);

        bool isGood = jar.IsGood(new CookieClaim(from, client, nonce), lists, cookie, Start);

        Assert.That(isGood, Is.False);
    }

    [TestCase(0, true)]
    [TestCase(10, true)]
    [TestCase(11, false)]
    [TestCase(-1, false)]
    public void A_cookie_is_good_for_ten_seconds_and_not_before_it_was_made(int age, bool expected)
    {
        CookieJar jar = NewJar();
        byte[] cookie = Bake(jar);

        bool isGood = IsGood(jar, cookie, Start + TimeSpan.FromSeconds(age));

        Assert.That(isGood, Is.EqualTo(expected));
    }

    [Test]
    public void A_cookie_survives_a_change_of_the_key_but_not_two()
    {
        CookieJar once = NewJar();
        CookieJar twice = NewJar();
        byte[] ofOnce = Bake(once);
        byte[] ofTwice = Bake(twice);

        IsGood(twice, ofTwice, Start + TimeSpan.FromSeconds(61));
        IsGood(twice, ofTwice, Start + TimeSpan.FromSeconds(122));
        IsGood(once, ofOnce, Start + TimeSpan.FromSeconds(61));

        // Looked at by a clock that went back, so that only the key can speak against it.
        Assert.That(IsGood(once, ofOnce, Start), Is.True);
        Assert.That(IsGood(twice, ofTwice, Start), Is.False);
    }

    [TestCase(0)]
    [TestCase(CookieJar.CookieBytes - 1)]
    [TestCase(CookieJar.CookieBytes + 1)]
    public void A_cookie_of_another_length_is_refused(int length)
    {
        CookieJar jar = NewJar();
        byte[] cookie = Bake(jar);
        Array.Resize(ref cookie, length);

        Assert.That(IsGood(jar, cookie, Start), Is.False);
    }

    [Test]
    public void A_cookie_with_any_bit_changed_is_refused()
    {
        CookieJar jar = NewJar();
        byte[] cookie = Bake(jar);

        for (int bit = 0; bit < cookie.Length * 8; bit++)
        {
            cookie[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(IsGood(jar, cookie, Start), Is.False, $"bit {bit}");
            cookie[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.That(IsGood(jar, cookie, Start), Is.True);
    }

    private static CookieJar NewJar() => new(new SeededSecrets(new Prng(1)));

    private static byte[] Bake(CookieJar jar)
    {
        byte[] cookie = new byte[CookieJar.CookieBytes];
        jar.Make(new CookieClaim(Home, ClientId, Nonce), Lists, Start, cookie);
        return cookie;
    }

    private static bool IsGood(CookieJar jar, byte[] cookie, Instant now)
        => jar.IsGood(new CookieClaim(Home, ClientId, Nonce), Lists, cookie, now);
}

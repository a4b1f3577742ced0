using System;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gudp.Core.Engine;

// Cookies: proof, without any memory, that a stranger receives what is sent to its address (S-10.1).
//
// A cookie is the second it was made in (4 bytes) and the first 16 bytes of an HMAC-SHA256 over that second, the
// address, the port, the client's id, its nonce and its mode list (security section 4.2). Whoever brings it back has
// read it at that address. The key changes every minute and the one before is still accepted.
//
// Always true: a cookie older than 10 s, or from the future, is refused.

/// <summary>Makes and checks the cookies of one endpoint. Owned by the leader.</summary>
internal sealed class CookieJar
{
    internal const int CookieBytes = 20;

    private const int SecretBytes = 32;
    private const int NonceBytes = 32;

    private static readonly TimeSpan SecretLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CookieLifetime = TimeSpan.FromSeconds(10);

    private readonly ISecretSource _secrets;
    private byte[] _current = new byte[SecretBytes];
    private byte[] _previous = new byte[SecretBytes];
    private Instant _changeAt;

    internal CookieJar(ISecretSource secrets)
    {
        _secrets = secrets;
        secrets.Fill(_current);
        secrets.Fill(_previous);
    }

    /// <param name="cookie">Receives <see cref="CookieBytes"/> bytes.</param>
    internal void Make(in CookieClaim claim, ReadOnlySpan<byte> lists, Instant now, Span<byte> cookie)
    {
        ChangeSecretIfDue(now);
        uint second = SecondOf(now);
        BinaryPrimitives.WriteUInt32BigEndian(cookie, second);
        WriteMac(_current, second, claim, lists, cookie[4..]);
    }

    internal bool IsGood(in CookieClaim claim, ReadOnlySpan<byte> lists, ReadOnlySpan<byte> cookie, Instant now)
    {
        ChangeSecretIfDue(now);

        if (cookie.Length != CookieBytes)
        {
            return false;
        }

        uint second = BinaryPrimitives.ReadUInt32BigEndian(cookie);
        long age = (long)SecondOf(now) - second;

        if (age < 0 || age > CookieLifetime.TotalSeconds)
        {
            return false;
        }

        Span<byte> mac = stackalloc byte[CookieBytes - 4];
        WriteMac(_current, second, claim, lists, mac);

        if (CryptographicOperations.FixedTimeEquals(mac, cookie[4..]))
        {
            return true;
        }

        WriteMac(_previous, second, claim, lists, mac);
        return CryptographicOperations.FixedTimeEquals(mac, cookie[4..]);
    }

    private static uint SecondOf(Instant now) => (uint)(now.Ticks / TimeSpan.TicksPerSecond);

    private static void WriteMac(
        byte[] secret, uint second, in CookieClaim claim, ReadOnlySpan<byte> lists, Span<byte> mac)
    {
        const int FixedBytes = 4 + 16 + 2 + 8 + NonceBytes;
        Span<byte> text = stackalloc byte[FixedBytes + SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt32BigEndian(text, second);
        claim.Address.CopyAddressTo(text[4..]);
        BinaryPrimitives.WriteUInt16BigEndian(text[20..], claim.Address.Port);
        BinaryPrimitives.WriteUInt64BigEndian(text[22..], claim.ClientId);
        claim.Nonce[..NonceBytes].CopyTo(text[30..]);
        SHA256.HashData(lists, text[FixedBytes..]);

        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, text, full);
        full[..mac.Length].CopyTo(mac);
    }

    private void ChangeSecretIfDue(Instant now)
    {
        if (now < _changeAt)
        {
            return;
        }

        // Swapped, not copied: the older of the two is overwritten with fresh bytes.
        (_current, _previous) = (_previous, _current);
        _secrets.Fill(_current);
        _changeAt = now + SecretLifetime;
    }
}

/// <summary>What a cookie is bound to.</summary>
internal readonly ref struct CookieClaim
{
    internal CookieClaim(PeerAddress address, ulong clientId, ReadOnlySpan<byte> nonce)
    {
        Address = address;
        ClientId = clientId;
        Nonce = nonce;
    }

    internal PeerAddress Address { get; }

    internal ulong ClientId { get; }

    internal ReadOnlySpan<byte> Nonce { get; }
}

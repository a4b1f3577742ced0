using System;
using System.Security.Cryptography;

namespace Gudp.Core;

/// <summary>
/// Where everything comes from that a stranger must not guess: connection ids, nonces, cookie secrets.
/// Real programs use <see cref="SystemSecrets"/>; simulations a seeded source, so that a run can be repeated.
/// </summary>
public interface ISecretSource
{
    /// <summary>Fills the whole span with unpredictable bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>The operating system's cryptographic generator. Any thread.</summary>
public sealed class SystemSecrets : ISecretSource
{
    /// <summary>The one instance.</summary>
    public static SystemSecrets Instance { get; } = new();

    private SystemSecrets()
    {
    }

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}

/// <summary>Secrets that are none: drawn from a seed, for simulation only.</summary>
/// <remarks>One thread at a time.</remarks>
public sealed class SeededSecrets : ISecretSource
{
    private readonly Prng _draws;

    /// <summary>A source whose bytes follow from <paramref name="draws"/>.</summary>
    public SeededSecrets(Prng draws) => _draws = draws;

    /// <inheritdoc/>
    public void Fill(Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = (byte)_draws.NextUInt64();
        }
    }
}

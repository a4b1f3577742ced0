using System;

namespace Gudp.Sequencing;

/// <content>Grants looked at in place: the same calls for loops that must not allocate.</content>
public sealed partial class SequenceClient
{
    /// <summary>As <see cref="TryTakeGrant"/>, without making anything: the grant lies in the client's memory.</summary>
    /// <param name="grant">Valid until the member asks to advance again; empty if it is not there.</param>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    public bool TryReadGrant(out GrantView grant)
    {
        bool hasEnded = TakeInAll();

        if (TryRead(out grant))
        {
            return true;
        }

        if (hasEnded)
        {
            GoOnAfterLoss();
        }

        return false;
    }

    /// <summary>As <see cref="WaitForGrant"/>, without making anything: the grant lies in the client's memory.</summary>
    /// <param name="timeout">As for <see cref="WaitForGrant"/>.</param>
    /// <returns>Valid until the member asks to advance again.</returns>
    /// <inheritdoc cref="WaitForGrant" path="/exception"/>
    public GrantView ReadGrant(TimeSpan timeout)
    {
        ThrowIfDisposed();
        long start = _options.Clock.GetTimestamp();

        while (true)
        {
            SendBefore(timeout, start);

            if (TryRead(out GrantView grant))
            {
                return grant;
            }

            TakeInBefore(timeout, start);
        }
    }

    private bool TryRead(out GrantView grant)
    {
        if (_engine.TryReadGrant(out grant))
        {
            // Once in a run.
            Start ??= grant.ToStart();

            if (_options.Recording is not null)
            {
                Record(grant.ToGrant());
            }

            return true;
        }

        ThrowIfFailed();
        return false;
    }
}

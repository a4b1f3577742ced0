using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <summary>The place of the one reader a queue may have at a time.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class ReaderSlot
{
    private const int Nobody = 0;
    private const int Copying = 1;
    private const int Polling = 2;

    private int _reader;

    /// <summary>
    /// Lets one reader in. Readers that copy wait for each other, it takes no longer than the copy; nobody waits for
    /// one that polls, because it runs the application's code.
    /// </summary>
    internal bool TryEnter(bool polling)
    {
        SpinWait spin = default;

        while (true)
        {
            int before = Interlocked.CompareExchange(ref _reader, polling ? Polling : Copying, Nobody);

            if (before == Nobody)
            {
                return true;
            }

            if (before == Polling)
            {
                return false;
            }

            spin.SpinOnce();
        }
    }

    // A full fence: who leaves looks afterwards whether something came up meanwhile.
    internal void Leave() => Interlocked.Exchange(ref _reader, Nobody);
}

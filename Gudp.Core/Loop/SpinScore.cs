namespace Gudp.Core.Loop;

/// <summary>
/// Whether looking a while before sleeping has been worth it lately. On a machine with more threads than processors it takes
/// the time from the one that is waited for; then it is tried now and then only.
/// </summary>
/// <remarks>Always true: the score lies between 0 and its most; one failure costs as much as four successes earn.</remarks>
internal struct SpinScore
{
    private const int Most = 8;
    private const int CostOfFailure = 4;

    // Waits without a try after it proved to be of no use.
    private const int Pause = 64;

    private int _score;
    private int _pause;

    /// <summary>Before a wait.</summary>
    internal bool IsWorthIt()
    {
        if (_pause == 0)
        {
            return true;
        }

        _pause--;
        return false;
    }

    /// <summary>After a try.</summary>
    /// <param name="hasPaid">What was waited for came before the end of it.</param>
    internal void Note(bool hasPaid)
    {
        if (hasPaid)
        {
            _score = _score < Most ? _score + 1 : Most;
            return;
        }

        _score -= CostOfFailure;

        if (_score < 0)
        {
            _score = 0;
            _pause = Pause;
        }
    }
}

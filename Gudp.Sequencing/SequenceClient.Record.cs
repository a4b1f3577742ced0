using System;
using System.IO;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

/// <content>The member's own record: what it was granted and given (docs/protocol/record.md).</content>
public sealed partial class SequenceClient
{
    private MemberRecorder? _recorder;
    private long _recordStart;
    private Exception? _recordFailure;

    /// <summary>
    /// Why the member's own record ends early: the disk failed, or was too slow; the file could not be made; or a grant was
    /// never taken. Null if all is well or nothing is recorded (<see cref="MemberOptions.Recording"/>).
    /// </summary>
    public Exception? RecordFailure => _recordFailure ?? _recorder?.Failure;

    // With the first grant everything is known that stands at the head of a record.
    private void Record(Grant grant)
    {
        if (_options.Recording is RunRecording recording && _recordFailure is null)
        {
            if (_recorder is null)
            {
                if (!TryBeginRecord(recording))
                {
                    return;
                }

                _recordStart = _options.Clock.GetTimestamp();
            }

            _recorder!.Add(grant, _options.Clock.GetElapsedTime(_recordStart));
        }
    }

    // A disk holds no grant up, and takes none away.
    private bool TryBeginRecord(RunRecording recording)
    {
        try
        {
            _recorder = new MemberRecorder(_engine, recording);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _recordFailure = failure;
            return false;
        }
    }

    private void EndRecord()
    {
        _recorder?.Close();
        _recordFailure ??= _recorder?.Failure;
        _recorder = null;
    }
}

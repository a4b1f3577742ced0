using System;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

/// <content>The member's own record: what it was granted and given (docs/protocol/record.md).</content>
public sealed partial class SequenceClient
{
    private MemberRecorder? _recorder;
    private long _recordStart;

    /// <summary>
    /// Why the member's own record ends early: the disk failed, or was too slow. Null if all is well or nothing is
    /// recorded (<see cref="MemberOptions.Recording"/>).
    /// </summary>
    public Exception? RecordFailure => _recorder?.Failure;

    // With the first grant everything is known that stands at the head of a record.
    private void Record(Grant grant)
    {
        if (_options.Recording is RunRecording recording)
        {
            if (_recorder is null)
            {
                _recorder = new MemberRecorder(_engine, recording);
                _recordStart = _options.Clock.GetTimestamp();
            }

            _recorder.Add(grant, _options.Clock.GetElapsedTime(_recordStart));
        }
    }
}

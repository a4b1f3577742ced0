using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Records;

namespace Gudp.Sequencing;

// The record of the run (docs/protocol/record.md): written by the turn, brought to the disk by another thread.
public sealed partial class SequenceServer
{
    private RunRecordWriter? _record;

    /// <summary>
    /// Why the record ends early: the disk failed, or was too slow. Null if all is well or nothing is recorded. Any
    /// thread; the run does not mind.
    /// </summary>
    public Exception? RecordFailure
    {
        get
        {
            lock (_gate)
            {
                return _record?.Failure;
            }
        }
    }

    private void BeginRecord(RunLayout layout, SequencingConfig config, RunRecording? recording)
    {
        if (recording is null)
        {
            return;
        }

        try
        {
            _record = recording.Open(RunRecording.HeadOf(layout, config, recording.KeepPayloadBytes));
            _engine.Record(_record);
        }
        catch
        {
            _endpoint.Dispose();
            throw;
        }
    }

    // The turn may go on with the run after this; the record does not.
    private void EndRecord()
    {
        lock (_gate)
        {
            _engine.EndRecord();
        }

        _record?.Dispose();
    }
}

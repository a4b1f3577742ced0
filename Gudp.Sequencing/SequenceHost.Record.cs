using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

/// <content>The record of the run, as a server writes it (docs/protocol/record.md).</content>
public sealed partial class SequenceHost
{
    private RunRecordWriter? _record;
    private Exception? _recordFailure;

    /// <summary>
    /// Why the record ends early: the disk failed, or was too slow. Null if all is well or nothing is recorded.
    /// </summary>
    public Exception? RecordFailure => _record?.Failure ?? _recordFailure;

    /// <summary>
    /// Writes the run down from here on, the record a server of the same configuration would write: two runs of a test
    /// are compared with <c>gudp diff</c> or <see cref="RunDifference"/>. Wall times in it are those of <see cref="Clock"/>.
    /// </summary>
    /// <remarks>
    /// Complete and closed as soon as the run has ended; a run that is given up before is closed with
    /// <see cref="EndRecord"/>. Bytes go to the disk on a thread of their own.
    /// </remarks>
    /// <param name="recording">Where.</param>
    /// <exception cref="InvalidOperationException">Somebody has joined already, or it is recorded.</exception>
    /// <exception cref="ArgumentException">The recording has no place to go, or two.</exception>
    /// <exception cref="System.IO.IOException">The file cannot be made.</exception>
    public void Record(RunRecording recording)
    {
        ArgumentNullException.ThrowIfNull(recording);

        if (_links.Count > 0 || _record is not null)
        {
            throw new InvalidOperationException("A run is recorded once, from before anybody has joined.");
        }

        _record = recording.Open(
            RunRecording.HeadOf(_server.Run.Layout, _config, recording.KeepPayloadBytes));
        _server.Record(_record);
    }

    /// <summary>
    /// Closes the record as it is now, which may wait for the disk; nothing if there is none or the run has ended.
    /// </summary>
    public void EndRecord()
    {
        if (_record is { } record)
        {
            _record = null;
            _server.EndRecord();
            record.Dispose();
            _recordFailure = record.Failure;
        }
    }
}

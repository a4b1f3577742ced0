namespace Gudp.Tools.Demo;

/// <summary>
/// The file a report goes to, opened before the runs: what cannot be written is found out before and not after them.
/// </summary>
/// <remarks>
/// Always true: a file that was there keeps its content until the report is written, and one that was not there is gone
/// again if none is.
/// </remarks>
internal sealed class ReportFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly bool _isNew;
    private bool _isWritten;

    private ReportFile(string path, FileStream stream, bool isNew)
    {
        _path = path;
        _stream = stream;
        _isNew = isNew;
    }

    /// <exception cref="CommandFailure">It cannot be written to.</exception>
    internal static ReportFile Open(string path)
    {
        // The system would speak of access denied.
        if (Directory.Exists(path))
        {
            throw new CommandFailure(ExitCode.Usage, $"The report cannot be written to '{path}': it is a directory.");
        }

        try
        {
            bool isNew = !File.Exists(path);
            return new ReportFile(path, new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write), isNew);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The report cannot be written to '{path}': {refusal.Message}");
        }
    }

    internal void Write(string page)
    {
        using (StreamWriter writer = new(_stream, leaveOpen: true))
        {
            writer.Write(page);
        }

        // Not everything that can be written to has a length: a pipe does not.
        if (_stream.CanSeek)
        {
            _stream.SetLength(_stream.Position);
        }

        _isWritten = true;
    }

    public void Dispose()
    {
        _stream.Dispose();

        if (_isNew && !_isWritten)
        {
            File.Delete(_path);
        }
    }
}

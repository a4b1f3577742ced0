// What a member of the flock writes down at each sequence point, so that another process can go on where this one died:
// the session's ticket and the member's own state, in one file, since only together they say what happened.
//
// Always true: under its name the file is whole, one sequence point or the next. It is written beside and renamed, and
// renaming is one step of the file system. What a killed process had written stays with the system; against a power
// cut it would have to be flushed as well.

using System.Text.Json;
using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>A saved sequence point. Whoever can read the file can take the member's place.</summary>
internal sealed record FlockSave
{
    /// <summary>See <see cref="ResumeTicket.ToArray"/>.</summary>
    public required byte[] Ticket { get; init; }

    /// <summary>The whole flock, see <see cref="FlockModel.Restore"/>.</summary>
    public required byte[] Flock { get; init; }

    /// <summary>Messages delivered so far.</summary>
    public required long Messages { get; init; }

    /// <summary>Members that were taken out so far.</summary>
    public required IReadOnlyList<FlockDeparture> Departures { get; init; }

    internal void Write(string path)
    {
        string beside = path + ".next";
        File.WriteAllBytes(beside, JsonSerializer.SerializeToUtf8Bytes(this));
        File.Move(beside, path, overwrite: true);
    }

    /// <exception cref="CommandFailure">There is none, or it is damaged.</exception>
    internal static FlockSave Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<FlockSave>(File.ReadAllBytes(path)) ?? throw new JsonException("null");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CommandFailure(ExitCode.CheckFailed, $"'{path}' holds no sequence point: {failure.Message}");
        }
    }

    /// <exception cref="CommandFailure">It is damaged.</exception>
    internal ResumeTicket ReadTicket() => ResumeTicket.TryParse(Ticket, out ResumeTicket? ticket)
        ? ticket
        : throw new CommandFailure(ExitCode.CheckFailed, "The saved ticket is damaged.");
}

/// <summary>A member that was taken out, as another one was told.</summary>
/// <param name="Member">Its number.</param>
/// <param name="LastStep">The time of its last grant.</param>
/// <param name="ToldAt">The step at which the other one was told.</param>
internal sealed record FlockDeparture(int Member, long LastStep, long ToldAt);

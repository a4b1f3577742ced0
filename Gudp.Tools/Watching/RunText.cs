using System.Globalization;
using System.Text;
using System.Text.Json;
using Gudp.Sequencing;
using Gudp.Tools.Output;

namespace Gudp.Tools.Watching;

/// <summary>How a run stands, for people and for scripts. In the JSON, spans are milliseconds and tags are texts.</summary>
internal static class RunText
{
    internal static string TitleOf(RunStatus status)
    {
        string held = status.Barrier is Tag barrier ? $", held below {barrier}" : "";
        string steps = status.PendingSteps > 0 ? $", {Units.Count(status.PendingSteps)} steps to come" : "";
        string stop = status.Stop is Tag at ? $", stops at {at}" : "";
        string late = status.LateGrants > 0
            ? $", {Units.Count(status.LateGrants)} late, at most {Units.Span(status.MaxLag)}"
            : "";
        return $"{Lower(status.Stage)}, floor {status.Floor}, {Units.Count(status.Grants)} grants, "
            + $"{Units.Count(status.Published)} messages{held}{steps}{stop}{late}"
            + (status.IsInfluenced ? ", influenced from outside" : "");
    }

    /// <summary>What a user should know of that went otherwise than asked; empty if nothing did.</summary>
    internal static string TroubleOf(RunStatus status)
    {
        RunCounters counters = status.Counters;
        List<string> all = [];
        Add(all, counters.RefusedTotal, $"refused ({ErrorsOf(counters)})");
        Add(all, counters.StepsRepeated, "steps repeated");
        Add(all, counters.SessionsResumed, "sessions resumed");
        Add(all, counters.AdmissionsRefused, "admissions refused");
        Add(all, counters.MessagesDropped, "messages not wanted");
        Add(all, counters.MessagesLostBySender + counters.MessagesLostByReceiver, "lost by the simulated network");
        Add(all, counters.MessagesDuplicated, "duplicated by it");
        Add(all, counters.Ties, "ties");
        Add(all, counters.LogTrimmed, "trimmed from the log");
        Add(all, counters.ObserversDropped, "observers dropped");
        Add(all, counters.LinksGivenUp, "connections given up");
        return string.Join(", ", all);
    }

    internal static TextTable TableOf(RunStatus status)
    {
        TextTable table = new("member", "does", "at", "for", "asks", "because of", "inbox", "grants", "computing", "waiting");

        foreach (MemberStatus member in status.Members)
        {
            table.Add(
                member.Name,
                Lower(member.Activity),
                $"{member.Now}",
                Units.Span(member.Since),
                member.Target is Tag target ? $"{(member.IsNext ? "Next" : "To")} {target}" : "-",
                member.Root == WaitKind.None ? "-" : $"{member.RootMember} ({member.Root})",
                Units.Count(member.InboxMessages),
                Units.Count(member.Grants),
                Units.Span(member.UserTime),
                Units.Span(member.ServerTime));
        }

        return table;
    }

    internal static string JsonOf(RunStatus status) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", 1);
        json.WriteString("stage", Lower(status.Stage));
        json.WriteString("floor", $"{status.Floor}");
        WriteTag(json, "stop", status.Stop);
        WriteTag(json, "barrier", status.Barrier);
        json.WriteNumber("pendingSteps", status.PendingSteps);
        json.WriteNumber("messages", status.Published);
        json.WriteNumber("grants", status.Grants);
        json.WriteNumber("lateGrants", status.LateGrants);
        json.WriteNumber("maxLag", Milliseconds(status.MaxLag));
        json.WriteNumber("externalFacts", status.ExternalFacts);
        json.WriteBoolean("isInfluenced", status.IsInfluenced);
        json.WriteString("configHash", status.ConfigHash.ToString("x16", CultureInfo.InvariantCulture));
        json.WriteString("runDigest", status.RunDigest.ToString("x16", CultureInfo.InvariantCulture));
        json.WriteStartArray("members");

        foreach (MemberStatus member in status.Members)
        {
            WriteMember(json, in member);
        }

        json.WriteEndArray();
        json.WriteStartObject("counters");

        foreach ((string name, long value) in status.Counters.ToDictionary())
        {
            json.WriteNumber(name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });

    internal static string JsonOf(IReadOnlyList<WaitReport> waits) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", 1);
        json.WriteStartArray("waits");

        foreach (WaitReport wait in waits)
        {
            json.WriteStartObject();
            json.WriteString("member", wait.Member);
            json.WriteNumber("waited", Milliseconds(wait.Waited));
            json.WriteString("root", wait.Root.Member);
            json.WriteString("kind", $"{wait.Root.Kind}");
            json.WriteNumber("leftOut", wait.LeftOut);
            json.WriteStartArray("links");

            foreach (WaitLink link in wait.Links)
            {
                WriteLink(json, in link);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void Add(List<string> all, long count, string what)
    {
        if (count > 0)
        {
            all.Add($"{Units.Count(count)} {what}");
        }
    }

    private static string ErrorsOf(RunCounters counters) => string.Join(", ", Enum.GetValues<SequencingError>()
        .Where(error => counters.Refused(error) > 0)
        .Select(error => $"{error} {Units.Count(counters.Refused(error))}"));

    private static void WriteMember(Utf8JsonWriter json, in MemberStatus member)
    {
        json.WriteStartObject();
        json.WriteString("name", member.Name);
        json.WriteString("activity", Lower(member.Activity));
        json.WriteString("now", $"{member.Now}");
        WriteTag(json, "target", member.Target);
        json.WriteBoolean("isNext", member.IsNext);
        json.WriteNumber("since", Milliseconds(member.Since));
        json.WriteNumber("inboxMessages", member.InboxMessages);
        json.WriteNumber("inboxBytes", member.InboxBytes);
        json.WriteNumber("grants", member.Grants);
        json.WriteNumber("lateGrants", member.LateGrants);
        json.WriteNumber("lag", Milliseconds(member.Lag));
        json.WriteNumber("maxLag", Milliseconds(member.MaxLag));
        json.WriteNumber("userTime", Milliseconds(member.UserTime));
        json.WriteNumber("serverTime", Milliseconds(member.ServerTime));
        json.WriteString("kind", $"{member.Root}");
        json.WriteString("root", member.RootMember);
        json.WriteEndObject();
    }

    private static void WriteLink(Utf8JsonWriter json, in WaitLink link)
    {
        json.WriteStartObject();
        json.WriteString("member", link.Member);
        json.WriteString("kind", $"{link.Kind}");
        json.WriteString("activity", Lower(link.Activity));
        json.WriteString("now", $"{link.Now}");
        WriteTag(json, "target", link.Target);
        json.WriteBoolean("isNext", link.IsNext);
        json.WriteString("needs", $"{link.Needs}");
        json.WriteString("has", $"{link.Has}");
        json.WriteString("wokenAt", $"{link.WokenAt}");
        json.WriteNumber("since", Milliseconds(link.Since));
        json.WriteNumber("lastHeard", Milliseconds(link.LastHeard));
        json.WriteString("text", $"{link}");
        json.WriteEndObject();
    }

    private static void WriteTag(Utf8JsonWriter json, string name, Tag? tag)
    {
        if (tag is Tag value)
        {
            json.WriteString(name, $"{value}");
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();

        using (Utf8JsonWriter json = new(stream))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static long Milliseconds(TimeSpan span) => (long)span.TotalMilliseconds;

    private static string Lower<T>(T value)
        where T : struct, Enum
        => value.ToString().ToLowerInvariant();
}

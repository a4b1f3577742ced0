// A member in a process of its own that is killed again and again, by itself at a point named to it or from outside, and
// each time goes on from one file: the ticket and its own numbers, written beside and renamed at each sequence point.

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;

namespace Gudp.Tests.Processes;

/// <summary>Where a member is killed.</summary>
internal enum KillPoint
{
    /// <summary>Nowhere.</summary>
    Never,

    /// <summary>By another process, somewhere in the next few steps.</summary>
    FromOutside,

    /// <summary>The grant is there, and nothing was done with it.</summary>
    Granted,

    /// <summary>The grant was taken in, and is not saved.</summary>
    Taken,

    /// <summary>Half of what is saved is on the disk.</summary>
    HalfSaved,

    /// <summary>All is on the disk, under the other name.</summary>
    NotRenamed,

    /// <summary>Saved, and nothing said.</summary>
    Saved,

    /// <summary>Something was said, and has not left.</summary>
    Said,

    /// <summary>The commit was handed to the transport.</summary>
    Asked,

    /// <summary>The resignation was handed to the transport.</summary>
    Resigned,
}

/// <summary>One life of that member.</summary>
/// <param name="file">Where it saves, and goes on from if there is something.</param>
/// <param name="point">Where it ends.</param>
/// <param name="at">After how many grants of the member's whole life, or soon after.</param>
internal sealed class VictimMember(string file, KillPoint point, long at)
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // So many grants after a step the one outside has to act; the run does not end before.
    private const long MostAfter = 6;

    private CountingMember _member = new();

    internal static MessagingConfig Messaging { get; } = new()
    {
        Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
    };

    internal void Run(int port)
    {
        using Daemon daemon = new(Messaging.Core);
        daemon.Start();
        using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), Messaging);
        using SequenceClient client = Begin(endpoint, PeerAddress.LoopbackIPv4(port));

        while (client.Now < CountingMember.End)
        {
            _member.Say(client);
            DieAt(KillPoint.Said);
            _member.Ask(client);

            // Sends the commit; whether it leaves before the end is a matter of moments.
            bool isGranted = client.TryTakeGrant(out Grant? grant);
            DieAt(KillPoint.Asked);
            grant = isGranted ? grant! : client.WaitForGrant(Patience);
            DieAt(KillPoint.Granted);
            _member.Take(grant);
            DieAt(KillPoint.Taken);
            Save(client);
            AwaitTheEnd();
        }

        client.Resign(TimeSpan.Zero);
        DieAt(KillPoint.Resigned);
        ulong? runDigest = client.WaitForEnd(Patience);
        Console.WriteLine($"{runDigest:x16} {client.Digest:x16} {_member.Hash:x16} {_member.Said}");
    }

    private SequenceClient Begin(MessageEndpoint endpoint, PeerAddress server)
    {
        if (!File.Exists(file))
        {
            SequenceClient begun = SequenceClient.Join(
                endpoint, server, MemberOptions.From(CountingMember.Config, CountingMember.Victim), Patience);
            Save(begun);
            return begun;
        }

        byte[] saved = File.ReadAllBytes(file);
        _member = CountingMember.Read(saved);
        return ResumeTicket.TryParse(saved.AsSpan(CountingMember.Bytes), out ResumeTicket? ticket)
            ? SequenceClient.Resume(endpoint, server, ticket, Patience)
            : throw new InvalidDataException("The ticket is damaged.");
    }

    private void Save(SequenceClient client)
    {
        byte[] ticket = client.CreateTicket().ToArray();
        byte[] bytes = new byte[CountingMember.Bytes + ticket.Length];
        _member.Write(bytes);
        ticket.CopyTo(bytes, CountingMember.Bytes);
        string beside = file + ".next";

        if (IsAt(KillPoint.HalfSaved))
        {
            File.WriteAllBytes(beside, bytes.AsSpan(0, bytes.Length / 2));
            Die();
        }

        File.WriteAllBytes(beside, bytes);
        DieAt(KillPoint.NotRenamed);
        File.Move(beside, file, overwrite: true);
        DieAt(KillPoint.Saved);
    }

    private void AwaitTheEnd()
    {
        if (point != KillPoint.FromOutside)
        {
            return;
        }

        if (_member.Grants == at)
        {
            Console.WriteLine($"at {at}");
        }

        if (_member.Grants == at + MostAfter)
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private void DieAt(KillPoint here)
    {
        if (IsAt(here))
        {
            Die();
        }
    }

    private bool IsAt(KillPoint here) => here == point && _member.Grants >= at;

    private static void Die()
    {
        using System.Diagnostics.Process self = System.Diagnostics.Process.GetCurrentProcess();
        self.Kill();

        // Nothing more is done, should the signal take a moment.
        Thread.Sleep(Timeout.Infinite);
    }
}

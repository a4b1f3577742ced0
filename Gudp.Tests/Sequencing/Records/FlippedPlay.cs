using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>A run of three members to be recorded, in any order of turns, in which one message may have a bit flipped.</summary>
internal static class FlippedPlay
{
    internal static readonly SequencingConfig Config = new()
    {
        Roster =
        [
            new("p") { Publish = ["c"], Subscribe = ["c"], Lookahead = Delay.Ticks(3) },
            new("q") { Publish = ["c", "d"], Subscribe = ["c"], Lookahead = Delay.Ticks(2) },
            new("r") { Subscribe = ["c", "d"] },
        ],
    };

    /// <summary>To the end of the run.</summary>
    /// <param name="run">Of <see cref="Config"/>, with nothing granted yet.</param>
    /// <param name="order">Whose turn is first.</param>
    /// <param name="until">Members resign there.</param>
    /// <param name="flip">Whose message, and which; null: none.</param>
    /// <param name="onGrant">Sees what each was granted, before it acts.</param>
    internal static void Play(
        SingleProcessRun run, int[] order, long until, (string Member, int Number)? flip,
        Action<int, Grant>? onGrant = null)
    {
        int[] sent = new int[run.Members.Count];
        run.Settle();

        for (bool moved = true; moved; run.Settle())
        {
            moved = false;

            foreach (int i in order)
            {
                if (run.Members[i].TryTakeGrant(out Grant grant))
                {
                    moved = true;
                    onGrant?.Invoke(i, grant);
                    Act(run.Members[i], grant.Tag, until, ref sent[i], flip);
                }
            }
        }
    }

    private static void Act(
        MemberEngine member, Tag now, long until, ref int sent, (string Member, int Number)? flip)
    {
        if (now.Time >= until)
        {
            member.Resign();
            return;
        }

        if (member.Name != "r")
        {
            byte[] payload = BitConverter.GetBytes(now.Time);
            sent++;

            if (flip == (member.Name, sent))
            {
                payload[sent % 8] ^= 0x20;
            }

            string channel = member.Name == "q" && sent % 3 == 0 ? "d" : "c";
            Assert.That(member.Publish(channel, payload, member.EarliestPublication), Is.EqualTo(SequencingError.None));
        }

        member.Request(AdvanceMode.Next, now + Delay.Ticks(10));
    }
}

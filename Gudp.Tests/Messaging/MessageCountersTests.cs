using System.Reflection;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class MessageCountersTests
{
    [Test]
    public void Every_counter_every_refusal_and_every_drop_is_in_the_dictionary_with_its_own_value()
    {
        MessageTally tally = new();
        Dictionary<string, long> expected = [];

        foreach (PropertyInfo property in CountersOf(typeof(MessageCounters)))
        {
            MessageCount place = Enum.Parse<MessageCount>(property.Name);
            tally.Count(place, 100 + (int)place);
            expected.Add(property.Name, 100 + (int)place);
        }

        foreach (SendStatus status in Enum.GetValues<SendStatus>().Where(status => status != SendStatus.Accepted))
        {
            tally.CountShared(MessageCount.FirstSendRefused + (int)status, 200 + (int)status);
            expected.Add($"SendsRefused.{status}", 200 + (int)status);
        }

        foreach (MessageDrop cause in Enum.GetValues<MessageDrop>().Where(cause => cause != MessageDrop.None))
        {
            tally.CountShared(MessageCount.FirstDrop + (int)cause, 300 + (int)cause);
            expected.Add($"Dropped.{cause}", 300 + (int)cause);
        }

        Assert.That(Snapshot(tally).ToDictionary(), Is.EquivalentTo(expected));
    }

    [Test]
    public void The_sums_of_refusals_and_of_drops_count_every_cause_once()
    {
        MessageTally tally = new();

        foreach (SendStatus status in Enum.GetValues<SendStatus>().Where(status => status != SendStatus.Accepted))
        {
            tally.CountRefusal(status);
        }

        foreach (MessageDrop cause in Enum.GetValues<MessageDrop>().Where(cause => cause != MessageDrop.None))
        {
            tally.CountDrop(cause);
        }

        Assert.That(Snapshot(tally).SendsRefusedTotal, Is.EqualTo(Enum.GetValues<SendStatus>().Length - 1));
        Assert.That(Snapshot(tally).DroppedTotal, Is.EqualTo(Enum.GetValues<MessageDrop>().Length - 1));
    }

    [Test]
    public void The_text_names_value_and_unit_on_a_line_each()
    {
        MessageTally tally = new();
        tally.Count(MessageCount.BytesSent, 120_000);
        tally.CountRefusal(SendStatus.NoCredit);

        string[] lines = Snapshot(tally).ToText().Split('\n');

        Assert.That(lines, Has.Member("BytesSent 120000 bytes").And.Member("SendsRefused.NoCredit 1 sends"));
        Assert.That(lines, Has.Length.EqualTo(MessageCounters.Table.Rows.Count));
    }

    [Test]
    public void There_is_a_place_for_every_refusal_and_every_drop()
    {
        Assert.That(
            Enum.GetValues<SendStatus>().Length,
            Is.AtMost(MessageCount.FirstDrop - MessageCount.FirstSendRefused));
        Assert.That(Enum.GetValues<MessageDrop>().Length, Is.AtMost(MessageCount.End - MessageCount.FirstDrop));
    }

    [Test]
    public void Memory_remembers_the_most_it_lent_and_how_often_it_had_none()
    {
        MessageMemory memory = new(limitBytes: 4096);
        Assert.That(memory.TryRentToSend(2048, out byte[] first), Is.EqualTo(SendStatus.Accepted));
        Assert.That(memory.TryRentToSend(4096, out _), Is.EqualTo(SendStatus.PeerFull));

        memory.ReturnSent(first);

        QueueCounters counters = memory.ReadCounters();
        Assert.That(counters, Is.EqualTo(new QueueCounters("memory", 4096, 64, 0, 0, 2048, 1, 1)));
    }

    [Test]
    public void A_block_without_bytes_costs_memory_too()
    {
        MessageMemory memory = new(limitBytes: 640);
        int lent = 0;

        while (lent < 100 && memory.TryRentToSend(0, out _) == SendStatus.Accepted)
        {
            lent++;
        }

        Assert.That(lent, Is.EqualTo(10));
    }

    private static MessageCounters Snapshot(MessageTally tally)
    {
        MessageCounts counts = default;
        tally.AddTo(ref counts);
        return new MessageCounters(counts);
    }

    private static IEnumerable<PropertyInfo> CountersOf(Type snapshot)
        => snapshot.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.PropertyType == typeof(long))
            .Where(property => !property.Name.EndsWith("Total", StringComparison.Ordinal));
}

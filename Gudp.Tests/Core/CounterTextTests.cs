using System.Reflection;
using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class CounterTextTests
{
    [Test]
    public void Every_counter_of_a_connection_is_in_the_dictionary_with_its_own_value()
    {
        PropertyInfo[] properties = CountersOf(typeof(ConnectionCounters));
        object counters = default(ConnectionCounters);
        Dictionary<string, long> expected = [];

        for (int i = 0; i < properties.Length; i++)
        {
            long value = 100 + i;
            bool isSpan = properties[i].PropertyType == typeof(TimeSpan);
            properties[i].SetValue(counters, isSpan ? TimeSpan.FromMicroseconds(value) : value);
            expected.Add(properties[i].Name, value);
        }

        Assert.That(((ConnectionCounters)counters).ToDictionary(), Is.EquivalentTo(expected));
    }

    [Test]
    public void Every_counter_of_a_daemon_and_every_drop_reason_is_in_the_dictionary()
    {
        var set = new DaemonCounterSet { SendBlocked = 3, SocketNotices = 4, Turns = 5 };
        DropReason[] reasons = [.. Enum.GetValues<DropReason>().Where(reason => reason != DropReason.None)];
        set.CountSent(bytes: 1_000, datagrams: 2);
        set.CountReceived(50, DropReason.None);

        foreach (DropReason reason in reasons)
        {
            for (int i = 0; i <= (int)reason; i++)
            {
                set.CountReceived(10, reason);
            }
        }

        DaemonCounters counters = set.ReadSnapshot();
        Dictionary<string, long> entries = counters.ToDictionary();

        foreach (PropertyInfo property in CountersOf(typeof(DaemonCounters)))
        {
            Assert.That(entries[property.Name], Is.EqualTo(property.GetValue(counters)), property.Name);
        }

        foreach (DropReason reason in reasons)
        {
            Assert.That(entries[$"Dropped.{reason}"], Is.EqualTo((int)reason + 1));
        }

        Assert.That(entries, Has.Count.EqualTo(CountersOf(typeof(DaemonCounters)).Length + reasons.Length));
    }

    [Test]
    public void The_text_names_value_and_unit_on_a_line_each()
    {
        ConnectionCounters counters = default(ConnectionCounters) with
        {
            PacketsLost = 3,
            BytesSent = 120_000,
            SmoothedRtt = TimeSpan.FromMilliseconds(12.5),
        };

        string[] lines = counters.ToText().Split('\n');

        Assert.That(lines, Has.Member("PacketsLost 3 packets").And.Member("BytesSent 120000 bytes")
            .And.Member("SmoothedRtt 12500 us"));
        Assert.That(lines, Has.Length.EqualTo(ConnectionCounters.Table.Rows.Count));
        Assert.That(default(DaemonCounters).ToText(), Does.Contain("Dropped.BadChecksum 0 datagrams"));
    }

    private static PropertyInfo[] CountersOf(Type snapshot)
        => [.. snapshot.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.PropertyType == typeof(long) || property.PropertyType == typeof(TimeSpan))];
}

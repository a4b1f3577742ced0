using System.Reflection;
using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>A declaration is written once, and joins as it was written.</summary>
[TestFixture]
public sealed class MemberOptionsTests
{
    [Test]
    public void A_copy_says_everything_its_original_says()
    {
        MemberOptions original = new("a")
        {
            Sends = true,
            Receives = true,
            Lookahead = Delay.Ticks(5),
            Publish = ["x"],
            Subscribe = ["y"],
            SubscribeQuietly = ["z"],
            Policies = new Dictionary<string, BufferPolicy> { ["y"] = BufferPolicy.Latest },
            MayStop = true,
            MaySponsor = true,
            Join = 4,
            MayPeek = true,
            CrashPolicy = CrashPolicy.Abort,
            InboxLimit = new InboxLimit(5, 6),
            Paced = false,
            RunId = 7,
            ConfigHash = 8,
            Observes = true,
            JoinEarliest = true,
            History = HistoryStart.Last(3),
            ResumeFor = TimeSpan.FromSeconds(1),
            Recording = new RunRecording(),
            MaxBatchBytes = 9,
        };
        MemberOptions untouched = new("b");

        MemberOptions copy = new(original);

        foreach (PropertyInfo property in typeof(MemberOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            object? value = property.GetValue(original);
            Assert.That(value, Is.Not.EqualTo(property.GetValue(untouched)), $"{property.Name} is set above");
            Assert.That(property.GetValue(copy), Is.EqualTo(value), property.Name);
        }
    }

    [Test]
    public void A_declaration_joins_as_it_is()
    {
        MemberDeclaration declaration = new("a") { Publish = ["x"], Lookahead = Delay.Ticks(2) };
        SequenceHost host = new(new SequencingConfig { Roster = [declaration] });

        SequenceClient client = host.Join(new MemberOptions(declaration) { ConfigHash = host.ConfigHash });
        Grant start = client.WaitForGrant(Timeout.InfiniteTimeSpan);

        Assert.That(start.Tag, Is.EqualTo(Tag.Zero));
        Assert.That(client.EarliestPublication, Is.EqualTo((Tag)2));
    }
}

using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture]
public sealed class DigestTests
{
    [TestCase("", 0UL, 0xef46db3751d8e999UL)]
    [TestCase("abc", 0UL, 0x44bc2cf5ad770999UL)]
    [TestCase("o", 0UL, 0x46ba76d3f19aa15aUL)]
    [TestCase("p", 0UL, 0xf5ee3ce1a06552efUL)]
    [TestCase("r", 0UL, 0x41ccf6529b0966b6UL)]
    public void The_hash_has_its_published_values(string text, ulong seed, ulong expected)
        => Assert.That(XxHash64.Hash(seed, Encoding.UTF8.GetBytes(text)), Is.EqualTo(expected));

    [Test]
    public void The_chain_has_the_values_of_lock_time_section_18()
    {
        Digest digest = new(configHash: 0, "r");
        ulong channel = Digest.ChannelKey("o");
        List<ulong> values = [digest.Value];

        digest.AddDelivery(new DeliveryKey(7, 0, 0, 1, 0), channel, "a"u8);
        values.Add(digest.Value);
        digest.AddDelivery(new DeliveryKey(7, 0, 1, 1, 0), channel, "b"u8);
        values.Add(digest.Value);
        digest.AddGrant(7, 2, isFinal: false);
        values.Add(digest.Value);
        digest.AddGrant(20, 0, isFinal: false);
        values.Add(digest.Value);

        Assert.That(values, Is.EqualTo(new ulong[]
        {
            0xda0756e430cb7111, 0xeb034ffbead832bc, 0xf03a43d1a96b7407, 0xb46a09b1078f84fe, 0x362111b70a250177,
        }));
    }

    [Test]
    public void A_whole_run_gives_the_value_of_lock_time_section_18_to_server_and_member()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("p") { Publish = ["o"], Lookahead = Delay.Ticks(7) },
                new MemberDeclaration("q") { Publish = ["o"], Lookahead = Delay.Ticks(7) },
                new MemberDeclaration("r") { Subscribe = ["o"] },
            ],
        };
        SingleProcessRun run = new(new RunLayout(config) { ConfigHash = 0 }, config);
        run.Settle();

        run["q"].Publish("o", "b"u8, 7);
        run["q"].Request(AdvanceMode.To, 30);
        run["p"].Publish("o", "a"u8, 7);
        run["p"].Request(AdvanceMode.To, 30);
        run["r"].Request(AdvanceMode.To, 7);
        run.Settle();
        run["r"].Request(AdvanceMode.To, 20);
        run.Settle();

        Assert.That(run["r"].Digest, Is.EqualTo(0x362111b70a250177));
        Assert.That(run.Server.DigestOf(2).Value, Is.EqualTo(0x362111b70a250177));
    }

    [Test]
    public void The_hash_of_long_inputs_depends_on_every_byte()
    {
        byte[] input = new byte[133];
        HashSet<ulong> seen = [XxHash64.Hash(7, input)];

        for (int i = 0; i < input.Length; i++)
        {
            input[i] = 1;
            Assert.That(seen.Add(XxHash64.Hash(7, input)), $"byte {i}");
            input[i] = 0;
        }
    }
}

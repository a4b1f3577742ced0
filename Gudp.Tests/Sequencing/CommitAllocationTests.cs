using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture, Category("Release")]
public sealed class CommitAllocationTests
{
    [Test]
    public void A_warm_server_allocates_nothing_for_commits_with_everything_in_them()
    {
        using SteadyRun run = new();
        run.Step(6_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        run.Step(2_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(run.Server.Refusals, Is.Zero);
        Assert.That(run.Server.Counters.MessagesDropped, Is.GreaterThan(100));
        Assert.That(run.Server.Members.Find("r")!.Digest.Deliveries, Is.GreaterThan(1_000));
        Assert.That(allocated, Is.Zero);
    }

    /// <summary>A sender on a bad channel and a receiver that thins, switches and sums up.</summary>
    private sealed class SteadyRun : IDisposable
    {
        private readonly FrameWriter _writer = new();
        private readonly byte[] _payload = new byte[40];
        private readonly SingleProcessRun _run;
        private Instant _now = new(1_000_000_000);
        private long _time;

        internal SteadyRun()
        {
            SequencingConfig config = new()
            {
                Roster =
                [
                    new MemberDeclaration("r")
                    {
                        Subscribe = ["x", "y"],
                        Policies = new Dictionary<string, BufferPolicy> { ["x"] = BufferPolicy.Latest },
                    },
                    new MemberDeclaration("s") { Publish = ["x", "y"] },
                ],
                Channels =
                [
                    new ChannelDeclaration("x")
                    {
                        Latency = LatencyModel.Uniform(1, 3),
                        ReceiverLossPpm = 100_000,
                        ReceiverDuplicatePpm = 100_000,
                    },
                ],
                TieSeed = 3,

                // Full before the count begins: what the log keeps, it keeps in memory.
                LogMessages = 1_000,
            };

            _run = new SingleProcessRun(config);
            _run.Settle();
        }

        internal ServerEngine Server => _run.Server;

        public void Dispose() => Drain();

        internal void Step(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                _time++;
                Commit(1, isSender: true);
                Commit(0, isSender: false);
            }
        }

        private void Commit(int link, bool isSender)
        {
            Member member = Server.Members[isSender ? 1 : 0];
            Tag now = Server.Members.StateOf(member).Now;
            _writer.Clear();
            _writer.BeginFrame(FrameType.Commit, 1, 1);
            _writer.WriteNumber(member.Step + 1);

            if (isSender)
            {
                CommitElements.WritePublication(_writer, 0, now, _time, _payload);
                CommitElements.WritePublication(_writer, 0, now, _time, _payload);
                CommitElements.WritePublication(_writer, 1, now, _time, _payload);
                CommitElements.WriteLookahead(_writer, Delay.OneRound);
            }
            else
            {
                CommitElements.WriteRole(_writer, sends: false, receives: _time % 16 != 0);
                CommitElements.WriteInterest(_writer, 1, isOn: _time % 8 < 6);
            }

            AdvanceMode mode = isSender ? AdvanceMode.To : AdvanceMode.Next;
            CommitElements.WriteRequest(_writer, now, new AdvanceRequest(mode, isSender ? _time : _time - 1, default));
            CommitElements.WriteDigest(_writer, member.Digest.Value);
            CommitElements.WriteStateChecksum(_writer, member.Step);
            _writer.EndFrame();

            _now += TimeSpan.FromMilliseconds(1);
            Server.HandleMessage(link, _writer.Written, _now);
            Server.Evaluate(_now);
            Drain();
        }

        private void Drain()
        {
            while (Server.TryTakeOutgoing(out Outgoing outgoing))
            {
                outgoing.Release();
            }
        }
    }
}

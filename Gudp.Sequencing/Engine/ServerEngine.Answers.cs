using System;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <content>What goes out: batches, grants, refusals.</content>
internal sealed partial class ServerEngine
{
    private int WriteBatch(Member member, Tag lastGrant, Tag grant)
    {
        int count = 0;
        bool isOpen = false;

        while (member.Inbox.TryTake(grant, out DeliveryKey key, out Letter letter, out int interest))
        {
            if (!isOpen)
            {
                _writer.BeginFrame(FrameType.Deliver, Epoch, member.Session);
                isOpen = true;
            }

            new DeliveryRecord(key, interest, letter.Payload).Write(_writer, lastGrant);
            member.Digest.AddDelivery(in key, _layout.Channels[letter.Channel].Key, letter.Payload);
            letter.Release();
            count++;

            if (_writer.Length >= RunLayout.DeliverBytes)
            {
                _writer.EndFrame();
                Send(member);
                isOpen = false;
            }
        }

        if (isOpen)
        {
            _writer.EndFrame();
        }

        return count;
    }

    private void WriteGrant(Member member, Tag tag, int count, GrantFlags flags)
        => new GrantFrame(member.Step, member.Step, tag, count, tag, flags, member.Digest.Value)
            .Write(_writer, Epoch, member.Session);

    private void WriteHealth(Member member, Tag grant, Instant now)
    {
        ReadOnlySpan<HealthEntry> chain =
        [
            new(member.Layout.Name, ReportedState.Waiting, grant, Milliseconds(now, member.WaitingSince)),
            new(
                _layout.Members[member.Blocker].Name, member.BlockerState, member.BlockerTag,
                Milliseconds(now, member.BlockerSince)),
        ];

        HealthFrame.Write(_writer, Epoch, member.Session, chain);
    }

    private void Reject(long link, SequencingError error, string detail)
    {
        Refusals++;
        new RefusalFrame(error, detail, 0).Write(_writer, FrameType.Reject, Epoch, 0);
        Send(link);
    }

    private void Refuse(long link, SequencingError error, string detail, ulong step)
    {
        Refusals++;
        ulong session = _memberOfLink.TryGetValue(link, out Member? member) ? member.Session : 0;
        new RefusalFrame(error, detail, step).Write(_writer, FrameType.Error, Epoch, session);
        Send(link);
    }

    private void Send(Member member)
    {
        if (member.Link is long link)
        {
            Send(link);
        }

        _writer.Clear();
    }

    private void Send(long link)
    {
        _outgoing.Enqueue(new Outgoing(link, _writer.Written));
        _writer.Clear();
    }

    private static ulong Milliseconds(Instant now, Instant since)
        => (ulong)Math.Max(0, (now - since).TotalMilliseconds);
}

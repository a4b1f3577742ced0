using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// What waits for one member. Messages stay whether they are wanted or not; they wake, and are handed out, by what the
/// member receives and is interested in when the batch is cut.
/// </summary>
internal sealed class RuleInbox
{
    private readonly ArrivalQueue _queue;
    private readonly bool[] _wakes;
    private readonly bool[] _isOn;
    private readonly BufferPolicy[] _policies;

    internal RuleInbox(
        string[] channels, BufferPolicy[] policies, MemberDeclaration member, IComparer<DeliveryKey>? order)
    {
        _policies = policies;
        _queue = new ArrivalQueue(order);
        _wakes = Array.ConvertAll(channels, member.Subscribe.Contains);
        _isOn = Array.ConvertAll(channels, _ => true);
    }

    internal void Add(in DeliveryKey key, Letter letter, ref MemberState state)
    {
        _queue.Add(in key, letter, letter.Channel, IsWaking(letter.Channel, in state));
        state.Head = _queue.Head;
    }

    internal void Switch(int channel, bool isOn, ref MemberState state)
    {
        _isOn[channel] = isOn;
        Sort(ref state);
    }

    /// <summary>After roles or interests have changed: what waits may wake now, or no longer.</summary>
    internal void Sort(ref MemberState state)
    {
        List<(DeliveryKey Key, Letter Letter)> all = [];

        while (_queue.TryTake(Tag.Top, out DeliveryKey key, out Letter letter, out _))
        {
            all.Add((key, letter));
        }

        state.Head = Tag.Top;

        foreach ((DeliveryKey key, Letter letter) in all)
        {
            Add(in key, letter, ref state);
            letter.Release();
        }
    }

    /// <summary>Cuts a batch.</summary>
    internal List<(DeliveryKey Key, Letter Letter)> Take(Tag grant, ref MemberState state)
    {
        List<(DeliveryKey Key, Letter Letter)> batch = [];

        while (_queue.TryTake(grant, out DeliveryKey key, out Letter letter, out int channel))
        {
            if (state.Receives && _isOn[channel])
            {
                batch.Add((key, letter));
            }
        }

        state.Head = _queue.Head;

        for (int channel = 0; channel < _policies.Length; channel++)
        {
            Keep(batch, channel, _policies[channel]);
        }

        return batch;
    }

    private static void Keep(List<(DeliveryKey Key, Letter Letter)> batch, int channel, BufferPolicy policy)
    {
        while (batch.Count(message => message.Letter.Channel == channel) > policy.Count)
        {
            batch.RemoveAt(policy.IsNewest
                ? batch.FindIndex(message => message.Letter.Channel == channel)
                : batch.FindLastIndex(message => message.Letter.Channel == channel));
        }
    }

    private bool IsWaking(int channel, in MemberState state) => state.Receives && _isOn[channel] && _wakes[channel];
}

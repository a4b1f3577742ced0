using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;

namespace Gudp.Bench.Grants;

/// <summary>Speaks for a member without a client.</summary>
internal sealed class EngineSpeaker(MemberEngine engine) : IMemberSpeaker
{
    public void Publish(string channel, ReadOnlySpan<byte> payload, Tag at)
        => Require(engine.Publish(channel, payload, at));

    public void RequestTo(Tag target) => Require(engine.Request(AdvanceMode.To, target));

    private void Require(SequencingError error)
    {
        if (error != SequencingError.None)
        {
            throw new SequencingException(error, engine.Allowed(error));
        }
    }
}

/// <summary>Speaks for a member as programs do.</summary>
internal sealed class ClientSpeaker(SequenceClient client) : IMemberSpeaker
{
    public void Publish(string channel, ReadOnlySpan<byte> payload, Tag at) => client.Publish(channel, payload, at);

    public void RequestTo(Tag target) => client.RequestTo(target);
}

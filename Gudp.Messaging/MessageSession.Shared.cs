using Gudp.Core;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging;

/// <content>Payloads that several lanes share.</content>
internal sealed partial class MessageSession
{
    internal int LargestMessageBytes => _config.MaxMessageBytes;

    /// <summary>Any thread. Queues a payload that lies in shared memory; the caller keeps its own share.</summary>
    internal SendStatus TrySend(SharedBlock block, in SendOptions options, out MessageId id)
        => TrySend(block.Span, options, out id);
}

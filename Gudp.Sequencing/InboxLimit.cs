namespace Gudp.Sequencing;

/// <summary>
/// How much may wait undelivered for a member before the grants of those who feed it are kept back (lock-time section
/// 15). Such a delay never changes what is granted or delivered.
/// </summary>
/// <param name="Messages">Messages; 1 to 2^60.</param>
/// <param name="Bytes">Payload bytes, and 64 for each message; 1 to 1 TiB.</param>
public readonly record struct InboxLimit(long Messages, long Bytes);

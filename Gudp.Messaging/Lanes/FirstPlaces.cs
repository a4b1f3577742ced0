namespace Gudp.Messaging.Lanes;

/// <summary>
/// Where the lanes of both ends begin to count, so that tests come near the end of the numbers in less than a lifetime.
/// </summary>
/// <param name="Offset">The first offset of ordered lanes.</param>
/// <param name="Id">The first id of message lanes.</param>
internal readonly record struct FirstPlaces(long Offset, long Id);

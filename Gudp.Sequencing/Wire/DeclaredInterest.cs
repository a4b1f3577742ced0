namespace Gudp.Sequencing.Wire;

/// <summary>One channel as a member declares it in its hello (clause ).</summary>
/// <param name="Name">Of the channel.</param>
/// <param name="Bits">What it does there.</param>
/// <param name="Policy">What it keeps of a batch.</param>
internal readonly record struct DeclaredInterest(string Name, InterestBits Bits, BufferPolicy Policy = default);

namespace Gudp.Messaging.Lanes;

/// <summary>A whole message in a block of its own, on its way to the reader.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Block">Holds it from the start on.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="AsksTaken">Whether its sender wants to know when it is taken.</param>
internal readonly record struct WaitingMessage(long Id, byte[] Block, int Length, bool AsksTaken);

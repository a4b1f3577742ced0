namespace Gudp.Core;

/// <summary>Stands in for the lead's.</summary>
#pragma warning disable CA1040
public interface IPacketPayloadFactory
{
}

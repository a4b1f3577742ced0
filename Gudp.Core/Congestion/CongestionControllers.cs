namespace Gudp.Core.Congestion;

/// <summary>The one place that knows which class an algorithm's name stands for.</summary>
internal static class CongestionControllers
{
    internal static ICongestionController Make(in CongestionConfig config, int packetBytes) => config.Algorithm switch
    {
        CongestionAlgorithm.NewReno => new NewRenoController(packetBytes, config.InitialWindowPackets),
        _ => new CubicController(packetBytes, config.InitialWindowPackets),
    };
}

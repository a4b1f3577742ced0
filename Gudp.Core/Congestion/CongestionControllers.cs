namespace Gudp.Core.Congestion;

/// <summary>The one place that knows which class an algorithm's name stands for.</summary>
internal static class CongestionControllers
{
    /// <param name="config">Names the algorithm and carries its settings.</param>
    /// <param name="packetBytes">The largest datagram the path carries.</param>
    internal static ICongestionController Make(in CongestionConfig config, int packetBytes) => config.Algorithm switch
    {
        CongestionAlgorithm.NewReno => new NewRenoController(packetBytes, config.InitialWindowPackets),
        CongestionAlgorithm.Bbr => new BbrController(packetBytes, config),
        CongestionAlgorithm.TwoMode => new TwoModeController(packetBytes, config),
        CongestionAlgorithm.Fixed => new FixedRateController(packetBytes, config),
        _ => new CubicController(packetBytes, config.InitialWindowPackets),
    };
}

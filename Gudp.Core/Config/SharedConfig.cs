using System;

namespace Gudp.Core.Config;

/// <summary>
/// One config for all connections that have it: their engines read its parts where they lie, and none keeps a copy of its
/// own. Never changed.
/// </summary>
internal sealed class SharedConfig(in ConnectionConfig config)
{
    internal readonly ConnectionConfig Whole = config;
    internal readonly LossConfig Loss = config.Loss;
    internal readonly PathConfig Path = config.Path;
    internal readonly CongestionConfig Congestion = config.Congestion;
    internal readonly QualityConfig Quality = config.Quality;
    internal readonly TimeSpan HandshakeTimeout = config.HandshakeTimeout;
    internal readonly TimeSpan LingerTimeout = config.LingerTimeout;
}

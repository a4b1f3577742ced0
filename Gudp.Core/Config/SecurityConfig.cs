namespace Gudp.Core;

/// <summary>How a connection is protected. <c>default</c> is valid as a value but refused when opening.</summary>
public readonly record struct SecurityConfig
{
    internal static readonly ConfigTable<SecurityConfig> Table = new ConfigTable<SecurityConfig>()
        .Choice(nameof(Protection), c => c.Protection, (c, v) => c with { Protection = v }, "there are no others");

    /// <summary>
    /// How packets are protected. Default Unset, which is refused when opening: name <c>Plain</c> to go without.
    /// </summary>
    /// <remarks>Both ends must name the same.</remarks>
    public Protection Protection { get; init; }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}

using System;

namespace Gudp.Core;

/// <summary>The one of two spans that counts; the framework has it for numbers only.</summary>
internal static class Spans
{
    internal static TimeSpan Shorter(TimeSpan first, TimeSpan second) => first <= second ? first : second;

    internal static TimeSpan Longer(TimeSpan first, TimeSpan second) => first >= second ? first : second;
}

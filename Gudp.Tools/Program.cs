namespace Gudp.Tools;

internal static class Program
{
    internal static int Main() => 0;
}

using BenchmarkDotNet.Running;
using Gudp.Bench.Transport;

if (args is ["transport", .. string[] rest])
{
    return TransportCommand.Run(rest, Console.Out);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

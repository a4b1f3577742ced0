using BenchmarkDotNet.Running;
using Gudp.Bench.Compare;
using Gudp.Bench.Grants;
using Gudp.Bench.Load;
using Gudp.Bench.Memory;
using Gudp.Bench.Messages;
using Gudp.Bench.Transport;

if (args is ["transport", .. string[] rest])
{
    return TransportCommand.Run(rest, Console.Out);
}

if (args is ["messages", .. string[] others])
{
    return MessagesCommand.Run(others, Console.Out);
}

if (args is ["grants", .. string[] grants])
{
    return GrantsCommand.Run(grants, Console.Out);
}

if (args is [LoadNode.Name, string plan])
{
    return LoadNode.Run(plan);
}

if (args is ["load", .. string[] load])
{
    return await LoadCommand.RunAsync(load, Console.Out);
}

if (args is [MemoryNode.Name, string memoryPlan])
{
    return MemoryNode.Run(memoryPlan);
}

if (args is ["memory", .. string[] memory])
{
    return await MemoryCommand.RunAsync(memory, Console.Out);
}

if (args is ["compare", .. string[] compare])
{
    return await CompareCommand.RunAsync(compare, Console.Out);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

using System.Diagnostics;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>A new console project in a folder of its own, for programs that documents show.</summary>
internal sealed partial class NewcomerProject : IDisposable
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan RunLimit = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("gudp-newcomer-").FullName;

    /// <summary>The blocks of C# in a document, in their order.</summary>
    internal static IEnumerable<string> CodeIn(string document)
        => CSharpBlock().Matches(File.ReadAllText(Repository.PathOf(document)).ReplaceLineEndings("\n"))
            .Select(match => match.Groups["code"].Value);

    /// <summary>Fails the test unless the program builds without a warning and ends with 0.</summary>
    internal void BuildAndRun(string program)
    {
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), program);
        File.WriteAllText(Path.Combine(_folder, "Newcomer.csproj"), Project());

        AssertEndsWell(BuildLimit, "build", "--nologo", "-v", "q", "-o", "out");
        AssertEndsWell(RunLimit, Path.Combine("out", "Newcomer.dll"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // The libraries as built for these tests; no package, so that nothing has to be fetched.
    private static string Project()
    {
        IEnumerable<string> references = Repository.Libraries.Append("CommunityToolkit.HighPerformance")
            .Select(name => $"    <Reference Include=\"{Path.Combine(AppContext.BaseDirectory, name + ".dll")}\" />");

        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
              </PropertyGroup>
              <ItemGroup>
            {string.Join('\n', references)}
              </ItemGroup>
            </Project>
            """;
    }

    private void AssertEndsWell(TimeSpan limit, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // A build node that outlives the build would hold our pipes open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();

        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"dotnet {arguments[0]} did not end within {limit.TotalSeconds:F0} s.");
        }

        Assert.That(process.ExitCode, Is.Zero, () => $"dotnet {arguments[0]}\n{output.Result}\n{errors.Result}");
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}

using System.Diagnostics;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// The programs in the READMEs, those of the packages too, are built and run as a newcomer would: a new console project,
/// the program pasted in.
/// </summary>
[TestFixture, Category("Release")]
public sealed partial class ReadmeTests
{
    private const int MaxProgramLines = 25;

    private static readonly string[] Readmes =
        ["README.md", .. Repository.Libraries.Select(library => $"{library}/README.md")];

    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan RunLimit = TimeSpan.FromSeconds(60);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-readme-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Readmes))]
    public void The_programs_of_a_readme_are_short_build_and_end_well(string readme)
    {
        string[] programs = [.. ProgramsOf(readme)];
        Assert.That(programs, Is.Not.Empty);

        foreach (string program in programs)
        {
            Assert.That(program.TrimEnd('\n').Split('\n'), Has.Length.AtMost(MaxProgramLines));

            File.WriteAllText(Path.Combine(_folder, "Program.cs"), program);
            File.WriteAllText(Path.Combine(_folder, "Readme.csproj"), Project());

            AssertEndsWell(BuildLimit, "build", "--nologo", "-v", "q", "-o", "out");
            AssertEndsWell(RunLimit, Path.Combine("out", "Readme.dll"));
        }
    }

    private static IEnumerable<string> ProgramsOf(string readme)
        => CSharpBlock().Matches(File.ReadAllText(Repository.PathOf(readme)).ReplaceLineEndings("\n"))
            .Select(match => match.Groups["code"].Value);

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

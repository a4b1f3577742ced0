using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// The walls of the house (docs/ARCHITECTURE.md, "Layers"), checked in what the compiler made. A failure lists each use
/// that crosses a wall as "user -> used".
/// </summary>
[TestFixture]
public sealed class LayerRuleTests
{
    private const string Core = "Gudp.Core";
    private const string Messaging = "Gudp.Messaging";
    private const string Sequencing = "Gudp.Sequencing";

    private static readonly string[] Libraries = [Core, Messaging, Sequencing];

    private static readonly Dictionary<string, CompiledAssembly> Assemblies =
        Libraries.ToDictionary(name => name, CompiledAssembly.Read);

    // What everything above may lean on.
    private static readonly string[] Leaves =
        [Folder.Primitives, Folder.Diagnostics, Folder.Status, Folder.Config, Folder.Buffers, Folder.Doors];

    private static readonly Dictionary<string, string[]> FoldersOfCore = new()
    {
        [Folder.Primitives] = [Folder.Diagnostics],
        [Folder.Diagnostics] = Leaves,
        [Folder.Status] = Leaves,
        [Folder.Config] = Leaves,
        [Folder.Buffers] = Leaves,
        [Folder.Doors] = [.. Leaves, Folder.Root],
        [Folder.Wire] = Leaves,
        [Folder.Congestion] = Leaves,
        [Folder.Engine] = [.. Leaves, Folder.Wire, Folder.Congestion],
        [Folder.Sockets] = Leaves,
        [Folder.Loop] = [.. Leaves, Folder.Wire, Folder.Congestion, Folder.Engine, Folder.Sockets],
        [Folder.Packets] = [.. Leaves, Folder.Wire, Folder.Engine],
        [Folder.Root] =
            [.. Leaves, Folder.Wire, Folder.Congestion, Folder.Engine, Folder.Sockets, Folder.Loop, Folder.Packets],
        [Folder.Simulation] = [.. Leaves, Folder.Sockets],
    };

    // Types in Core's root folder that lower folders may name: the doors to the layer above.
    private static readonly string[] Doors =
    [
        "IPacketPayload", "IPacketPayloadFactory", "IPayloadTimer", "ITurnWatch", "IWaitPlace", "PayloadHost",
        "PayloadParameters", "PayloadVerdict", "ReliableOutbox`1", "SendBacklog",
    ];

    // Besides Core's structs and enums: the tools of configs and counters, and what is a value but not a struct. The daemon
    // is only handed through to Messaging.
    private static readonly string[] CoreTypesForSequencing =
    [
        "CloseReason", "ConfigErrors", "ConfigTable`1", "CounterRow`1", "CounterTable`1", "Daemon", "GudpConfigException",
        "InvariantException", "ISecretSource", "Prng", "SeededSecrets", "SystemSecrets", "VarInt",
    ];

    // Where the same input must give the same output on every machine and in every run.
    private static readonly (string Assembly, string Folder)[] DeterministicFolders =
    [
        (Core, "Primitives"), (Core, "Wire"), (Core, "Engine"), (Core, "Congestion"),
        (Sequencing, "Channels"), (Sequencing, "Engine"), (Sequencing, "Log"), (Sequencing, "Members"),
        (Sequencing, "Time"), (Sequencing, "Wire"),
    ];

    // These stand at the edge: they turn the outside into values.
    private static readonly string[] EdgeTypes = ["Gudp.Core.SystemSecrets", "Gudp.Core.PeerAddress"];

    private static readonly string[] ClocksAndChance =
    [
        "System.DateTime", "System.DateTimeOffset", "System.Environment", "System.Guid", "System.Random",
        "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Security.Cryptography.RandomNumberGenerator",
    ];

    private static readonly string[] PlayedBySimulation = ["System.TimeProvider", "System.DateTimeOffset"];

    private static readonly string[] ThreadsAndSockets = ["System.Threading", "System.Net.Sockets"];

    [TestCase(Core, new[] { "CommunityToolkit.HighPerformance" })]
    [TestCase(Messaging, new[] { "CommunityToolkit.HighPerformance", Core })]
    [TestCase(Sequencing, new[] { "CommunityToolkit.HighPerformance", Core, Messaging })]
    public void An_assembly_references_only_the_framework_and_the_layers_below(string assembly, string[] allowed)
    {
        IEnumerable<string> foreign = Assemblies[assembly].References
            .Where(reference => !reference.StartsWith("System.", StringComparison.Ordinal))
            .Except(allowed);

        Assert.That(foreign, Is.Empty);
    }

    [Test]
    public void Messaging_knows_only_the_root_of_Core()
        => AssertNoUse(Messaging, use => use.Assembly == Core && use.Namespace != Core);

    [Test]
    public void Sequencing_knows_only_the_root_of_Messaging()
        => AssertNoUse(Sequencing, use => use.Assembly == Messaging && use.Namespace != Messaging);

    [Test]
    public void Sequencing_knows_only_the_value_types_of_Core()
    {
        HashSet<TypeUse> values = [.. Assemblies[Core].Types.Where(type => type.IsValueType).Select(type => type.Self)];

        AssertNoUse(Sequencing, use => use.Assembly == Core
            && !(use.Namespace == Core && (values.Contains(use) || CoreTypesForSequencing.Contains(use.Name))));
    }

    [Test]
    public void Inside_Core_the_folders_build_on_each_other_in_one_direction()
    {
        Dictionary<TypeUse, string> folders = Assemblies[Core].Types.ToDictionary(type => type.Self, FolderOf);

        string[] crossings = [.. Assemblies[Core].Types.SelectMany(type => type.Uses
            .Where(folders.ContainsKey)
            .Where(use => folders[use] != FolderOf(type) && !AllowedFor(FolderOf(type)).Contains(folders[use]))
            .Select(use => $"{FolderOf(type)}: {type.Self} -> {folders[use]}: {use}"))];

        Assert.That(crossings, Is.Empty);
    }

    [TestCaseSource(nameof(Libraries))]
    public void The_simulation_is_known_to_nothing_but_itself(string assembly)
        => AssertNoUse(
            assembly,
            use => IsSimulation(use.Namespace),
            type => !IsSimulation(type.Self.Namespace) && type.Folder != Folder.Simulation);

    [TestCaseSource(nameof(Libraries))]
    public void What_must_be_deterministic_knows_no_clock_and_no_chance(string assembly)
        => AssertNoUse(
            assembly,
            use => ClocksAndChance.Contains(use.FullName),
            type => IsDeterministic(assembly, type));

    [TestCaseSource(nameof(Libraries))]
    public void What_must_be_deterministic_knows_no_threads_and_no_sockets(string assembly)
        => AssertNoUse(
            assembly,
            use => ThreadsAndSockets.Any(space => IsWithin(use.Namespace, space)),
            type => IsDeterministic(assembly, type));

    // It plays the clock, so it may name the clock's types; but it must not ask a real one.
    [Test]
    public void The_simulation_has_no_clock_and_no_chance_but_its_own()
        => AssertNoUse(
            Core,
            use => ClocksAndChance.Except(PlayedBySimulation).Contains(use.FullName),
            type => type.Folder == Folder.Simulation);

    [Test]
    public void The_reader_sees_what_stands_in_a_method_body()
    {
        CompiledType secrets = Assemblies[Core].Types.Single(type => type.Self.Name == "SystemSecrets");

        Assert.That(secrets.Folder, Is.EqualTo("Primitives"));
        Assert.That(secrets.Uses.Select(use => use.FullName), Has.Member("Gudp.Core.ISecretSource")
            .And.Member("System.Security.Cryptography.RandomNumberGenerator"));
    }

    private static void AssertNoUse(string assembly, Func<TypeUse, bool> isForbidden)
        => AssertNoUse(assembly, isForbidden, _ => true);

    private static void AssertNoUse(string assembly, Func<TypeUse, bool> isForbidden, Func<CompiledType, bool> isBound)
    {
        string[] crossings = [.. Assemblies[assembly].Types
            .Where(isBound)
            .SelectMany(type => type.Uses.Where(isForbidden).Order().Select(use => $"{type.Self} -> {use}"))];

        Assert.That(crossings, Is.Empty);
    }

    private static bool IsDeterministic(string assembly, CompiledType type)
        => DeterministicFolders.Contains((assembly, type.Folder)) && !EdgeTypes.Contains(type.Self.FullName);

    private static bool IsSimulation(string space) => space.EndsWith(".Simulation", StringComparison.Ordinal);

    private static bool IsWithin(string space, string outer)
        => space == outer || space.StartsWith(outer + ".", StringComparison.Ordinal);

    private static string FolderOf(CompiledType type)
        => type.Folder.Length > 0 ? type.Folder : Doors.Contains(type.Self.Name) ? Folder.Doors : Folder.Root;

    // A folder that is not in the table may use nothing: whoever adds one decides where it stands.
    private static string[] AllowedFor(string folder) => FoldersOfCore.GetValueOrDefault(folder) ?? [];

    private static class Folder
    {
        internal const string Root = "root";
        internal const string Doors = "doors";
        internal const string Primitives = nameof(Primitives);
        internal const string Diagnostics = nameof(Diagnostics);
        internal const string Status = nameof(Status);
        internal const string Config = nameof(Config);
        internal const string Buffers = nameof(Buffers);
        internal const string Wire = nameof(Wire);
        internal const string Congestion = nameof(Congestion);
        internal const string Engine = nameof(Engine);
        internal const string Sockets = nameof(Sockets);
        internal const string Loop = nameof(Loop);
        internal const string Packets = nameof(Packets);
        internal const string Simulation = nameof(Simulation);
    }
}

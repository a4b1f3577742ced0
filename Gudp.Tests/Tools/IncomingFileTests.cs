using System.Security.Cryptography;
using System.Text;
using Gudp.Tools.Transfer;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class IncomingFileTests
{
    private static readonly byte[] Content = Encoding.ASCII.GetBytes("what was sent");

    private string _directory = string.Empty;

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("gudp-test-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_file_with_the_right_hash_gets_its_name()
    {
        Assert.That(Store("a.txt", Content, SHA256.HashData(Content)), Is.EqualTo(PathOf("a.txt")));

        Assert.That(File.ReadAllBytes(PathOf("a.txt")), Is.EqualTo(Content));
        Assert.That(Names(), Is.EqualTo(new[] { "a.txt" }));
    }

    [Test]
    public void An_empty_file_is_a_file()
        => Assert.That(Store("a", [], SHA256.HashData([])), Is.EqualTo(PathOf("a")));

    [Test]
    public void A_file_with_another_hash_leaves_nothing()
    {
        Assert.That(Store("a.txt", Content, SHA256.HashData([1])), Is.Empty);

        Assert.That(Names(), Is.Empty);
    }

    [Test]
    public void A_file_that_stops_short_leaves_nothing()
    {
        using (IncomingFile file = new(_directory, "a.txt", Content.Length))
        {
            file.Write(Content.AsSpan(1));
            Assert.That(Names(), Has.Length.EqualTo(1).And.None.EqualTo("a.txt"));
        }

        Assert.That(Names(), Is.Empty);
    }

    [Test]
    public void What_was_there_before_is_never_overwritten()
    {
        File.WriteAllText(PathOf("a.txt"), "old");
        Directory.CreateDirectory(PathOf("a-1.txt"));

        string path = Store("a.txt", Content, SHA256.HashData(Content));

        Assert.That(path, Is.EqualTo(PathOf("a-2.txt")));
        Assert.That(File.ReadAllText(PathOf("a.txt")), Is.EqualTo("old"));
    }

    [Test]
    public void A_directory_that_is_not_there_is_an_error_of_the_file_system()
        => Assert.That(
            () => new IncomingFile(PathOf("missing"), "a.txt", 0).Dispose(), Throws.InstanceOf<IOException>());

    private string Store(string name, byte[] content, byte[] hash)
    {
        using IncomingFile file = new(_directory, name, content.Length);
        file.Write(content);
        file.TryStore(hash, out string path);
        return path;
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private string[] Names() => [.. Directory.GetFileSystemEntries(_directory).Select(path => Path.GetFileName(path))];
}

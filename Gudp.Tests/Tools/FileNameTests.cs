using Gudp.Tools.Transfer;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class FileNameTests
{
    [TestCase("a.txt", "a.txt")]
    [TestCase("/etc/passwd", "passwd")]
    [TestCase("../../a.txt", "a.txt")]
    [TestCase(@"C:\Windows\a.txt", "a.txt")]
    [TestCase(@"..\a.txt", "a.txt")]
    [TestCase(@"mixed/one\two", "two")]
    [TestCase("...", "...")]
    [TestCase(".profile", ".profile")]
    [TestCase("Straße 1.txt", "Straße 1.txt")]
    public void A_name_is_reduced_to_its_last_part(string sent, string expected)
    {
        bool isTaken = FileName.TryReduce(sent, out string name, out string problem);

        Assert.That(isTaken, Is.True, problem);
        Assert.That(name, Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a/")]
    [TestCase("a/..")]
    [TestCase(@"a\")]
    [TestCase(@"a\.")]
    [TestCase("a\0b")]
    [TestCase("a\nb")]
    [TestCase("\u001b[2Jb")]
    public void A_name_that_is_none_is_refused_with_a_sentence(string sent)
    {
        bool isTaken = FileName.TryReduce(sent, out string name, out string problem);

        Assert.That(isTaken, Is.False);
        Assert.That(name, Is.Empty);
        Assert.That(problem, Does.EndWith("."));
    }

    [Test]
    public void A_name_of_two_hundred_bytes_is_taken()
        => Assert.That(FileName.TryReduce(new string('a', FileName.MaxBytes), out _, out _), Is.True);

    [Test]
    public void A_name_of_more_bytes_is_refused_even_if_it_has_fewer_characters()
        => Assert.That(FileName.TryReduce(new string('ß', (FileName.MaxBytes / 2) + 1), out _, out _), Is.False);

    [TestCase("a.txt", 0, "a.txt")]
    [TestCase("a.txt", 1, "a-1.txt")]
    [TestCase("a.tar.gz", 2, "a.tar-2.gz")]
    [TestCase("a", 3, "a-3")]
    [TestCase(".profile", 1, ".profile-1")]
    public void The_next_name_to_try_carries_a_number(string name, int attempt, string expected)
        => Assert.That(FileName.Numbered(name, attempt), Is.EqualTo(expected));
}

using System.Diagnostics;
using Gudp.Bench.Load;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class LinkSenderTests
{
    private const double Rate = 100;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(1);

    // What is late does not make what follows late: no coordinated omission.
    [Test]
    public void With_a_rate_each_message_is_due_whatever_became_of_those_before()
    {
        LinkSender sender = new(0, 0, Rate, AnswerPatience);
        sender.MaySend(At(10), asks: false);
        sender.OnSent(At(10));

        double[] due = [.. Enumerable.Range(0, 3).Select(_ =>
        {
            double next = (double)sender.DueAt(At(99)) / Stopwatch.Frequency;
            sender.OnSent(At(99));
            return next;
        })];

        Assert.That(due, Is.EqualTo(new[] { 10.01, 10.02, 10.03 }).Within(1e-6));
    }

    [Test]
    public void With_a_rate_nothing_leaves_before_it_is_due()
    {
        LinkSender sender = new(0, 0, Rate, AnswerPatience);
        sender.MaySend(At(10), asks: false);
        sender.OnSent(At(10));

        bool[] may = [sender.MaySend(At(10.0099), asks: false), sender.MaySend(At(10.0101), asks: false)];

        Assert.That(may, Is.EqualTo(new[] { false, true }));
        Assert.That(sender.UntilDue(At(10.004)).TotalMilliseconds, Is.EqualTo(6).Within(0.01));
    }

    [Test]
    public void A_question_waits_for_its_answer_or_for_the_end_of_patience()
    {
        LinkSender sender = new(0, 0, 0, AnswerPatience);
        sender.OnSent(At(10));

        bool[] may = [sender.MaySend(At(10.5), asks: true), sender.MaySend(At(11.1), asks: true)];
        sender.IsOpen = true;

        Assert.That(may, Is.EqualTo(new[] { false, true }));
        Assert.That(sender.MaySend(At(10.1), asks: true), Is.True);
    }

    [Test]
    public void The_end_is_said_as_often_as_it_may_be_lost()
    {
        LinkSender sender = new(0, 0, 0, AnswerPatience);

        sender.OnEnd(At(1), isSent: true, repeats: 2);
        sender.OnEnd(At(1.1), isSent: false, repeats: 2);
        bool hasEndedBefore = sender.HasEnded;
        sender.OnEnd(At(1.2), isSent: true, repeats: 2);

        Assert.That((hasEndedBefore, sender.HasEnded), Is.EqualTo((false, true)));
        Assert.That((sender.MayEnd(At(1.201)), sender.MayEnd(At(1.3))), Is.EqualTo((false, true)));
    }

    private static long At(double seconds) => (long)(seconds * Stopwatch.Frequency);
}

namespace Gudp.Bench.Transport;

/// <summary>What the report for people says.</summary>
internal static class ReportText
{
    private const string Title = "Transport measurements";

    private const string Intro =
        "Measured in the simulator, in virtual time: the figures are the same on every machine. Each is the median of "
        + "the seeds, which are 1 to the number given; \"least to most\" is their range. Goodput counts the bytes the "
        + "application got, from the first send of an open connection to the last byte read. Links count the bytes of UDP "
        + "payload; delay, loss, rate and queue are the same both ways, so acks are lost too.";

    private const string GridNote =
        "20 MB in messages of 16 KB over one ordered lane; 100 Mbit/s, drop-tail queue of 625,000 bytes. The least number "
        + "of datagrams is that of full ones, headers included. Floors are P13's, for the Lossy preset with the controller "
        + "it chooses; the default is shown beside it. Both are the message layer's presets as a user gets them: Lossy has rings "
        + "of 4 MB, because what is lost holds its ring for two round trips and more; the default has 1 MB, which allows "
        + "40 to 80 Mbit/s at 100 ms. TwoMode and Fixed send at the rates their config names.";

    private const string LongFatNote =
        "Goodput over the first ten seconds, slow start included; queue of one bandwidth-delay product (12.5 MB); Bulk "
        + "preset with rings of 32 MB and 32,768 packets in flight.";

    private const string FairnessNote =
        "Two flows that always have something to send share one drop-tail queue of one bandwidth-delay product (100,000 "
        + "bytes) on 20 Mbit/s and 40 ms, for 60 s from when both are there; which begins, and how long before the other, "
        + "is the seed's. The TCP flows are textbook senders on simulated sockets (RFC 5681 and 9438, per-packet acks, "
        + "window of ten packets at first, 1,452-byte datagrams, not paced).";

    private const string TicksNote =
        "A reliable ordered message of 200 bytes 60 times a second for a minute; from TrySend to the reader, waiting "
        + "behind a lost one included. No limit of rate.";

    private const string SpeedNote =
        "Eight daemons in a ring, each sends 100 unreliable packets a second to the next over 10 ms; 300 virtual seconds. "
        + "This one depends on the machine, and on what else runs there: load from others costs a third of it. The floor is "
        + "judged per second of processor time; the simulation has one thread.";

    private const string RelayNote =
        "\"gudp send\" and \"gudp recv\" through \"gudp sim --rate 100mbit --queue 625000B\", three processes in real time "
        + "on one machine, beside the simulator with the tool's config; time until all is acknowledged. Same seeds and "
        + "same draws: the relay and the simulator lose the datagrams of the same numbers. Within 15 % is a pass, on two "
        + "processors with nothing else to do; under load from others the figures fall by up to a third. What may cost the "
        + "rest, not measured apart: the three programs start cold, which counts most where the transfer takes two seconds; "
        + "a wait for sockets ends on whole milliseconds, so pacing comes in bursts and acks up to a millisecond late.";

    private const string Schema = """
        ## The JSON file

        `transport.json` holds what the tables show. `schema` is 1; `seeds` is how many. A *spread* is
        `{ "median", "least", "most" }` over the seeds; -1 stands for "not measured".

        - `transfers[]`: `group` (grid, long-fat, goodput), `config`, `algorithm`, `isPresetsChoice`, `linkMbit`,
          `roundTripMs`, `lossPercent`, `queueBytes`; spreads `goodputMbit`, `datagramsOverLeast`,
          `retransmittedPercent`, `roundTripP50Ms`, `roundTripP99Ms`, `queueDelayP50Ms`, `queueDelayP99Ms`
        - `fairness[]`: `algorithm`, `rival` (TcpReno, TcpCubic, Gudp); spreads `oursMbit`, `theirsMbit`, `ratio` (ours
          over theirs), `jainIndex`; `oursBySecond[]`, `theirsBySecond[]` of seed 1
        - `ticks[]`: `config`, `lossPercent`; spreads `p50Ms`, `p99Ms`, `mostMs`
        - `speed`: `nodes`; spreads `perWallSecond`, `perProcessorSecond`
        - `relay[]`: `roundTripMs`, `lossPercent`; spreads `relayMbit`, `simulatorMbit`; `ratio` of their medians
        - `floors[]`: `id`, `work`, `value`, `bound`, `isLeast`, `passed`: computed from the rest by `FloorJudge`, which
          a test does again

        """;

    internal static ReportPage Page(TransportReport report) => new("transport", Title)
    {
        MoreOptions = " --relay",
        Usage = "`--only NAME` measures one part anew and keeps the rest of the JSON file;\n"
            + "names: grid, longfat, fairness, ticks, speed, relay.",
        Schema = Schema,
        Intro = Intro,
        Runs = $"Seeds: 1 to {report.Seeds}.",
        Floors = report.Floors,
        Sections = Sections(report),
    };

    private static IEnumerable<ReportSection> Sections(TransportReport report)
    {
        yield return new ReportSection(
            "20 MB over 100 Mbit/s (P13)", GridNote, ReportTables.Transfers(report, TransferRow.Grid),
            [
                ReportCharts.Presets(report),
                ReportCharts.Controllers(report, Presets.Default),
                ReportCharts.Controllers(report, Presets.Lossy),
                ReportCharts.QueueDelay(report),
            ]);
        yield return new ReportSection(
            "Long and fat: 1 Gbit/s, 100 ms (T14)", LongFatNote, ReportTables.Transfers(report, TransferRow.LongFat),
            [ReportCharts.LossCurve(report)]);
        yield return new ReportSection(
            "10 Mbit/s (T13)", "10 MB over 10 Mbit/s and 30 ms with a queue of 25 packets of 1,452 bytes.",
            ReportTables.Transfers(report, TransferRow.Goodput), []);
        yield return new ReportSection(
            "Sharing a link (T12)", FairnessNote, ReportTables.Fairness(report),
            [ReportCharts.Fairness(report), .. ReportCharts.FairnessOverTime(report)]);
        yield return new ReportSection(
            "Small messages at 60 Hz, 50 ms (P14)", TicksNote, ReportTables.Ticks(report), [ReportCharts.Ticks(report)]);

        if (report.Speed is not null)
        {
            yield return new ReportSection(
                "The simulator's own speed (P19)", SpeedNote, ReportTables.Speed(report.Speed), []);
        }

        if (report.Relay.Count > 0)
        {
            yield return new ReportSection(
                "Through the relay, between processes", RelayNote, ReportTables.Relay(report),
                [ReportCharts.Relay(report)]);
        }
    }
}

using BenchmarkDotNet.Attributes;
using Gudp.Core;
using Gudp.Core.Wire;

namespace Gudp.Bench;

/// <summary>
/// What the bytes of one packet cost: header, frames, and over its whole length the three checksums, next to a plain
/// copy as the least that touching those bytes can cost.
/// </summary>
[MemoryDiagnoser]
public class WireBench
{
    private const ulong Id = 0x0102_0304_0506_0708;
    private const long LargestAcked = 69_900;
    private static readonly PacketNumber Number = new(70_000);

    private byte[] _packet = null!;
    private byte[] _copy = null!;
    private byte[] _frames = null!;
    private PacketTrailer _trailer;

    [Params(64, 256, 1200, 1448)]
    public int PacketBytes { get; set; }

    [GlobalSetup]
    public void Build()
    {
        _packet = new byte[PacketBytes];
        _copy = new byte[PacketBytes];
        _trailer = new PacketTrailer(applicationId: 1);
        int header = WriteHeader();

        // As on a busy connection: an ack with a few gaps, then the payload.
        AckRange[] ranges = [new(69_990, 70_000), new(69_980, 69_985), new(69_000, 69_970)];
        Span<byte> frames = _packet.AsSpan(header, PacketBytes - header - WireFormat.TrailerBytes);
        int ack = FrameWriter.WriteAck(frames, ranges, TimeSpan.FromMilliseconds(1));
        UserPacketFrame.Write(frames[ack..], new byte[frames.Length - ack - 3]);
        _trailer.SealShort(_packet);
        _frames = frames.ToArray();
    }

    [Benchmark]
    public int WriteHeader()
        => ShortHeader.Write(_packet, Id, isFromServer: false, Number, LargestAcked);

    [Benchmark]
    public long ParseHeader()
    {
        ShortHeader.TryParse(_packet, out ShortHeader header);
        return PacketNumber.Expand(header.NumberBits, header.NumberWidthBytes, Number).Value;
    }

    [Benchmark]
    public long WalkFrames()
    {
        FrameReader reader = new(_frames);
        long sum = 0;

        while (reader.TryNext(out Frame frame))
        {
            AckRangeReader ranges = frame.AckRanges;

            while (ranges.TryNext(out AckRange range))
            {
                sum += range.Smallest;
            }
        }

        return sum + reader.Payload.Length;
    }

    [Benchmark]
    public void Seal() => _trailer.SealShort(_packet);

    [Benchmark]
    public uint ChecksumSimple() => Crc32C.AppendSimple(Crc32C.Begin(), _packet);

    [Benchmark]
    public uint ChecksumThreeStreams() => Crc32C.AppendThreeStreams(Crc32C.Begin(), _packet);

    /// <summary>The simple way where the processor cannot fold.</summary>
    [Benchmark]
    public uint ChecksumFolded()
        => Crc32C.CanFold
            ? Crc32C.AppendFolded(Crc32C.Begin(), _packet)
            : Crc32C.AppendSimple(Crc32C.Begin(), _packet);

    [Benchmark(Baseline = true)]
    public void Copy() => _packet.AsSpan().CopyTo(_copy);
}

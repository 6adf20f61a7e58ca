using System.Buffers;
using System.Text;
using Thole.Wire.Sse;

namespace Thole.Wire.Tests.Sse;

public sealed class SseReaderSpecs
{
    [Theory]
    [InlineData("", false)]
    [InlineData("data: a\n\n", false)]
    [InlineData("data: a\r\r", false)]
    [InlineData("data: a\r\n\r\n", false)]
    [InlineData("data: a\n\n: alive\n", false)]
    [InlineData("data: a\n\n: ali", true)]
    [InlineData("data: a\n\ndata: b\n", true)]
    [InlineData("data: a\n\ndata: b", true)]
    [InlineData("data: a\n\nevent: x\n", true)]
    [InlineData("data: a\n\nd", true)]
    public void A_stream_that_ends_inside_an_event_is_told_apart(string wire, bool isInside)
    {
        var reader = new SseReader();
        reader.Feed(Encoding.UTF8.GetBytes(wire));
        while (reader.TryRead(out _)) { }

        Assert.Equal(isInside, reader.IsInsideEvent);
    }

    [Theory]
    [InlineData("data: [DONE]")]
    [InlineData("data: [DONE]\n")]
    [InlineData("\uFEFFdata:[DONE]\r\n")]
    public void The_last_event_without_its_blank_line_can_be_asked_for(string wire)
    {
        var reader = new SseReader();
        reader.Feed(Encoding.UTF8.GetBytes(wire));

        Assert.False(reader.TryRead(out _));
        Assert.True(reader.TryReadUnfinished(out var last));
        Assert.Equal("[DONE]", last.Text);
        Assert.False(reader.IsInsideEvent);
        Assert.False(reader.TryReadUnfinished(out _));
    }

    [Fact]
    public void A_line_beyond_the_limit_is_refused_before_it_is_whole()
    {
        var reader = new SseReader(new SseLimits(Line: 10));
        reader.Feed("data: 12345"u8);

        var refused = Assert.Throws<SseLimitException>(() => reader.TryRead(out _));
        Assert.Equal("The stream sent a line of more than 10 bytes.", refused.Message);
    }

    [Fact]
    public void An_event_of_many_lines_beyond_the_limit_is_refused()
    {
        var reader = new SseReader(new SseLimits(Event: 10));
        reader.Feed("data: 1234\ndata: 1234\n"u8);
        Assert.False(reader.TryRead(out _));
        reader.Feed("data: 1\n"u8);

        Assert.Throws<SseLimitException>(() => reader.TryRead(out _));
    }

    [Fact]
    public void A_megabyte_in_one_event_costs_linear_time_byte_by_byte()
    {
        var reader = new SseReader();
        var wire = Encoding.UTF8.GetBytes($"data: {new string('x', 1_000_000)}\n\n");
        var events = 0;
        foreach (var one in wire)
        {
            reader.Feed([one]);
            while (reader.TryRead(out var read))
            {
                events++;
                Assert.Equal(1_000_000, read.Data.Length);
            }
        }

        Assert.Equal(1, events);
    }

    [Fact]
    public void Reading_a_thousand_events_allocates_nothing_for_each()
    {
        var reader = new SseReader();
        var wire = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("data: {\"a\":1}\n\n", 1000)));
        reader.Feed(wire);
        while (reader.TryRead(out _)) { }

        var before = GC.GetAllocatedBytesForCurrentThread();
        reader.Feed(wire);
        var events = 0;
        while (reader.TryRead(out _))
        {
            events++;
        }

        Assert.Equal(1000, events);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void Whatever_the_pieces_the_events_are_the_same()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new SseWriter(output);
        writer.WriteRetry(TimeSpan.FromSeconds(2));
        writer.WriteComment("alive");
        writer.Write("one\r\ntwo\n\nthree", "piece", "7");
        writer.Write("", id: "8");
        writer.Write("ünï…😀 \u0000");
        var wire = output.WrittenSpan.ToArray();
        var whole = Read([wire]);
        Assert.Equal([("piece", "7", "one\ntwo\n\nthree"), (null, "8", ""), (null, "8", "ünï…😀 \u0000")], whole);

        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            List<byte[]> pieces = [];
            for (var at = 0; at < wire.Length; )
            {
                var size = Math.Min(random.Next(0, 12), wire.Length - at);
                pieces.Add(wire[at..(at += size)]);
            }

            Assert.True(whole.SequenceEqual(Read(pieces)), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void A_name_of_two_lines_cannot_be_written()
    {
        var writer = new SseWriter(new ArrayBufferWriter<byte>());

        Assert.Throws<ArgumentException>(() => writer.Write("x", name: "a\nb"));
        Assert.Throws<ArgumentException>(() => writer.Write("x", id: "a\0b"));
    }

    private static List<(string?, string, string)> Read(IEnumerable<byte[]> pieces)
    {
        var reader = new SseReader();
        List<(string?, string, string)> read = [];
        foreach (var piece in pieces)
        {
            reader.Feed(piece);
            while (reader.TryRead(out var happened))
            {
                read.Add((happened.Name, happened.Id, happened.Text));
            }
        }

        return read;
    }
}

using System.Text;

namespace Thole.Cli.Commands;

/// <summary>Bytes of UTF-8 into a text writer, so that an export can go where every other answer goes. Characters may be cut anywhere.</summary>
internal sealed class WriterStream(TextWriter output) : Stream
{
    private readonly Decoder _decoder = new UTF8Encoding(false).GetDecoder();

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var characters = new char[_decoder.GetCharCount(buffer, flush: false)];
        _ = _decoder.GetChars(buffer, characters, flush: false);
        output.Write(characters);
    }

    public override void Flush() => output.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

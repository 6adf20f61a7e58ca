namespace Thole.Cli;

/// <summary>
/// Standard output that says so once when it cannot be written, and takes the rest in silence: what is left in buffers when the
/// process ends must not fail a second time.
/// </summary>
/// <param name="isSilent">For standard error: where it cannot be written there is nobody to tell, and the work goes on.</param>
internal sealed class StandardOutput(Stream console, bool isSilent) : Stream
{
    private bool _isLost;

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
        if (_isLost)
        {
            return;
        }

        try
        {
            console.Write(buffer);
        }
        // The latter where the descriptor is one that nobody may write to: it was closed when we were started.
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            _isLost = true;
            if (!isSilent)
            {
                throw new OutputLostException(refused);
            }
        }
    }

    public override void Flush() => console.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>Nobody can be told the answer: where standard output leads is full, or broken.</summary>
internal sealed class OutputLostException(Exception refused)
    : Exception(
        $"What is printed cannot be written to standard output ({refused.Message}); make room where it leads. The session's record is whole.",
        refused
    );

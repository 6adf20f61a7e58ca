using System.Text;

namespace Thole.Wire.Sse;

/// <summary>
/// One event of a stream. <see cref="Data"/> lies in the reader's own buffer: it is valid until the reader is asked or fed again.
/// </summary>
/// <param name="Name">What <c>event:</c> said; null where it said nothing (the standard's name is then <c>message</c>).</param>
/// <param name="Id">The last id seen on the stream, of this event or of an earlier one; empty before the first.</param>
public readonly record struct SseEvent(string? Name, string Id, ReadOnlyMemory<byte> Data)
{
    public string Text => Encoding.UTF8.GetString(Data.Span);
}

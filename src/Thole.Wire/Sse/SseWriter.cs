using System.Buffers;
using System.Globalization;
using System.Text;

namespace Thole.Wire.Sse;

/// <summary>Writes events so that every reader of the standard reads back exactly what was given.</summary>
public sealed class SseWriter(IBufferWriter<byte> output)
{
    /// <exception cref="ArgumentException">The name or id cannot be said on one line.</exception>
    public void Write(ReadOnlySpan<byte> data, string? name = null, string? id = null)
    {
        WriteField("event"u8, name);
        WriteField("id"u8, id);

        // CR, LF and CRLF all end a line on the other side and come back as LF: each line of the data gets its own field.
        var rest = data;
        while (true)
        {
            var ending = rest.IndexOfAny((byte)'\r', (byte)'\n');
            WriteLine("data: "u8, ending < 0 ? rest : rest[..ending]);
            if (ending < 0)
            {
                break;
            }

            rest = rest[(ending + (rest[ending..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }

        output.Write("\n"u8);
    }

    public void Write(string data, string? name = null, string? id = null) => Write(Encoding.UTF8.GetBytes(data), name, id);

    /// <summary>Something that readers pass over, to keep the line alive.</summary>
    public void WriteComment(string comment) => WriteLine(": "u8, Encoding.UTF8.GetBytes(RequireOneLine(comment)));

    public void WriteRetry(TimeSpan wait) =>
        WriteLine("retry: "u8, Encoding.UTF8.GetBytes(((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)));

    private void WriteField(ReadOnlySpan<byte> field, string? value)
    {
        if (value is null)
        {
            return;
        }

        output.Write(field);
        WriteLine(": "u8, Encoding.UTF8.GetBytes(RequireOneLine(value)));
    }

    private void WriteLine(ReadOnlySpan<byte> before, ReadOnlySpan<byte> line)
    {
        output.Write(before);
        output.Write(line);
        output.Write("\n"u8);
    }

    private static string RequireOneLine(string value) =>
        value.AsSpan().IndexOfAny('\r', '\n', '\0') < 0
            ? value
            : throw new ArgumentException("A name, id or comment of an event is one line without NUL.", nameof(value));
}

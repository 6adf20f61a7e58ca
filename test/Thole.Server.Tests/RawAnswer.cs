using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Thole.Server.Tests;

/// <summary>An answer as it came over the socket.</summary>
internal sealed record RawAnswer(int Status, IReadOnlyList<(string Name, string Value)> Headers, string Body)
{
    public string? Code =>
        Json is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public JsonElement? Json => Body is ['{', ..] ? JsonElement.Parse(Body) : null;

    public string? Header(string name)
    {
        var values = Headers
            .Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(header => header.Value);
        return values.Any() ? string.Join(", ", values) : null;
    }

    /// <param name="hasBodies">False for answers to HEAD.</param>
    public static IReadOnlyList<RawAnswer> All(ReadOnlySpan<byte> bytes, bool hasBodies = true)
    {
        var answers = new List<RawAnswer>();
        while (Take(ref bytes, hasBodies) is { } answer)
        {
            answers.Add(answer);
        }

        return answers;
    }

    /// <summary>Reads one answer off the front; null where there is none, or only a part of one.</summary>
    private static RawAnswer? Take(ref ReadOnlySpan<byte> bytes, bool hasBody)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        var headers = lines[1..].Select(line => line.Split(": ", 2)).Select(pair => (pair[0], pair[1])).ToList();
        var answer = new RawAnswer(int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), headers, "");
        var rest = bytes[(end + 4)..];
        var length = hasBody ? int.Parse(answer.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture) : 0;
        if (rest.Length < length)
        {
            return null;
        }

        bytes = rest[length..];
        return answer with { Body = Encoding.UTF8.GetString(rest[..length]) };
    }
}

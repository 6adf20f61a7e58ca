using System.Text;
using System.Text.Json;

namespace Thole.Server.Tests.Hosting;

/// <summary>What came back for a request. The status is 0 where nothing came: the daemon died before it answered.</summary>
internal sealed record Answer(int Status, byte[] Body, Func<string, string?> Header)
{
    public static Answer None { get; } = new(0, [], static _ => null);

    public JsonElement Json => JsonElement.Parse(Body);

    public string? Code => Body is [(byte)'{', ..] ? Text("code") : null;

    public string? Text(string name) =>
        Json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    /// <summary>Itself, where the status is that one; else the test fails with all that was said.</summary>
    public Answer Expect(int status)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Encoding.UTF8.GetString(Body)}");
        return this;
    }
}

using System.Text.Json;
using Thole.Providers.TextCalls;
using Thole.Testing;

namespace Thole.Providers.Tests.TextCalls;

/// <summary>
/// What models wrote, and what another parser made of it. Two of its judgements are ours as well, though they may surprise: text
/// counts up to the first call, and a section in which no call begins is text.
/// </summary>
public sealed class TextCallVectorSpecs
{
    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (var vector in Vectors())
        {
            names.Add(Name(vector));
        }

        if (names.Count == 0)
        {
            names.Add("");
        }

        return names;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_model_wrote_is_understood_in_pieces_of_any_size(string name)
    {
        if (Vectors().Where(known => Name(known) == name).ToList() is not [var vector])
        {
            Assert.Skip("needs the acceptance data: set THOLE_ACCEPTANCE to the folder that holds toolcall-text/vectors.json");
            return;
        }

        var format = TextCallFormats.Find(vector.GetProperty("format").GetString()!)!.Value;
        var output = vector.GetProperty("model_output").GetString()!;
        foreach (var size in (int[])[1, 2, 3, 5, 8, int.MaxValue])
        {
            AssertIs(vector, Read.Of(format, output, () => size));
        }
    }

    private static void AssertIs(JsonElement expected, Read read)
    {
        if (expected.GetProperty("tool_calls") is not { ValueKind: JsonValueKind.Array } calls)
        {
            // Either outcome is right there; ours is a call that is told to be wrong.
            Assert.NotNull(Assert.Single(read.Calls).Problem);
            return;
        }

        Assert.Equal(expected.GetProperty("content").GetString() ?? "", read.Text);
        Assert.Equal(calls.GetArrayLength(), read.Calls.Count);
        foreach (var (call, proposed) in calls.EnumerateArray().Zip(read.Calls))
        {
            Assert.Null(proposed.Problem);
            Assert.Equal(call.GetProperty("name").GetString(), proposed.Name);
            Assert.Equal(call.TryGetProperty("id", out var id) ? id.GetString() : null, proposed.ProviderId);
            Assert.True(
                JsonElement.DeepEquals(call.GetProperty("arguments"), JsonDocument.Parse(proposed.Arguments).RootElement),
                proposed.Arguments
            );
        }
    }

    private static string Name(JsonElement vector) =>
        $"{vector.GetProperty("format").GetString()}/{vector.GetProperty("name").GetString()}";

    private static IReadOnlyList<JsonElement> Vectors()
    {
        var file = Acceptance.Folder is { } folder ? Path.Combine(folder, "toolcall-text", "vectors.json") : null;
        return File.Exists(file) ? [.. JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.EnumerateArray()] : [];
    }
}

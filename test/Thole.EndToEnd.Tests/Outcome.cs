using System.Text.Json;

namespace Thole.EndToEnd.Tests;

/// <summary>How a run of the program ended, and what it had printed by then.</summary>
internal sealed record Outcome(string Arguments, int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as JSON lines, or as one array of them.</summary>
    public IReadOnlyList<JsonElement> Messages =>
        Output.StartsWith('[')
            ? [.. JsonElement.Parse(Output).EnumerateArray()]
            : [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    /// <summary>The messages of a type, as in <c>assistant</c> or <c>system/init</c>.</summary>
    public IReadOnlyList<JsonElement> Of(string type) =>
        [
            .. Messages.Where(message =>
                (message.GetProperty("type").GetString() == type)
                || (
                    message.TryGetProperty("subtype", out var subtype)
                    && $"{message.GetProperty("type").GetString()}/{subtype.GetString()}" == type
                )
            ),
        ];

    public Outcome MustEndWith(int exitCode)
    {
        Assert.True(
            ExitCode == exitCode,
            $"thole {Arguments} ended with {ExitCode}, not {exitCode}.\n--- standard output\n{Output}\n--- standard error\n{Error}"
        );
        return this;
    }

    public Outcome MustSucceed() => MustEndWith(0);

    /// <summary>It failed with that code and told why in one line, which holds each of the words, and without the insides of the program.</summary>
    public Outcome MustFail(int exitCode, params string[] words)
    {
        MustEndWith(exitCode);
        var line = Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("thole: ", line);
        Assert.DoesNotContain("defect", line);
        Assert.DoesNotContain("Exception", line);
        Assert.All(words, word => Assert.Contains(word, line));
        return this;
    }
}

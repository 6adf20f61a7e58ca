using System.Text;
using System.Text.Json;
using Thole.Protocol;
using Thole.Wire.Transcripts;

namespace Thole.Wire.Tests.Transcripts;

public sealed class TranscriptSpecs
{
    private static readonly SessionSummary s_session = new(
        new SessionId("s-1"),
        "/code/space",
        "A title",
        "local/model",
        DateTimeOffset.UnixEpoch,
        DateTimeOffset.UnixEpoch,
        1,
        100
    );

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pieces_become_messages_and_those_of_a_failed_attempt_are_void()
    {
        var turn = new TurnId("t");
        var text = await MarkdownAsync(
            new StepStarted(turn, 1, "m"),
            new TextPiece("A wrong "),
            new AttemptFailed("cut", "The stream was cut.", 1),
            new StepStarted(turn, 1, "m"),
            new ReasoningPiece("think "),
            new TextPiece("A right "),
            new ReasoningPiece("more"),
            new TextPiece("answer"),
            new MessageCompleted("stop", new Usage(12, 3, CacheWriteTokens: 7)),
            new TurnEnded(turn, TurnOutcome.Completed)
        );
        Assert.Contains("A right answer", text);
        Assert.Contains("think more", text);
        Assert.DoesNotContain("A wrong", text);
        Assert.Contains("Attempt 1 failed: The stream was cut.", text);
        Assert.Contains("tokens: 12 in, 7 of them written to a cache, 3 out", text);
    }

    [Fact]
    public async Task An_interrupted_message_and_unknown_outcomes_are_said_plainly()
    {
        var call = new CallId("c");
        var open = new CallId("d");
        var text = await MarkdownAsync(
            new CallRequested(new ToolCall(call, "run", "{}"), ToolKind.Execute, "make it"),
            new CallStarted(call),
            new CallCompleted(call, CallOutcome.Unknown, ToolResult.Failed(ToolErrors.Unknown, "The process died.")),
            new TextPiece("half a sen"),
            new TurnEnded(new TurnId("t"), TurnOutcome.Interrupted, "The process died."),
            new CallRequested(new ToolCall(open, "edit", "{}"), ToolKind.Edit, "a.cs"),
            new CallStarted(open)
        );
        Assert.Contains("`run` `make it`: outcome unknown", text);
        Assert.Contains("half a sen", text);
        Assert.Contains("**Interrupted.** The process died.", text);
        Assert.Contains("`edit` `a.cs`: started, and the log does not say how it ended", text);
    }

    [Fact]
    public async Task Nothing_that_others_wrote_leaves_its_block_or_reaches_a_terminal()
    {
        var call = new CallId("c");
        var text = await MarkdownAsync(
            new TurnStarted(new TurnId("t"), new PromptId("p"), [new TextContent("a\n## Answer\nb")]),
            new TextPiece("look:\n```cs\nnever closed"),
            new MessageCompleted("stop", new Usage()),
            new CallRequested(new ToolCall(call, "edit", "{}"), ToolKind.Edit, "title `tick\n# heading \u001b[31m"),
            new CallCompleted(
                call,
                CallOutcome.Succeeded,
                new ToolResult { Text = "```\n</details>\n````\n# out", Display = [new DiffContent("a.md", "+````\n+# out\n")] }
            )
        );
        Assert.Contains("> ## Answer", text);
        Assert.Contains("never closed\n```\n", text);
        Assert.Contains("`````diff\n+````\n", text);
        Assert.Contains("`````\n```\n</details>\n````\n# out\n`````\n", text);
        Assert.DoesNotContain("\n# heading", text);
        Assert.DoesNotContain('\u001b', text);
    }

    [Fact]
    public async Task JSON_lines_hold_every_event_also_of_newer_kinds()
    {
        using var stream = new MemoryStream();
        var payload = JsonElement.Parse("""{"strength":9,"type":"liar"}""");
        await JsonLinesTranscript.WriteAsync(Events(new TextPiece("a"), new UnknownEvent("tea_made", 2, payload)), stream, Now);
        var lines = Encoding.UTF8.GetString(stream.ToArray()).TrimEnd('\n').Split('\n');
        Assert.Equal(new TextPiece("a"), JsonSerializer.Deserialize(lines[0], ProtocolJson.Default.Envelope)!.Event);
        var unknown = JsonElement.Parse(lines[1]);
        Assert.Equal(2, unknown.GetProperty("sequence").GetInt64());
        Assert.Equal("""{"type":"tea_made","strength":9}""", unknown.GetProperty("event").GetRawText());
    }

    [Fact]
    public async Task JSON_is_one_document_of_the_session_and_its_events()
    {
        using var stream = new MemoryStream();
        await JsonTranscript.WriteAsync(s_session, Events(new TextPiece("a"), new TextPiece("b")), stream, Now);
        var document = JsonElement.Parse(stream.ToArray());
        Assert.Equal("s-1", document.GetProperty("session").GetProperty("id").GetString());
        Assert.Equal(2, document.GetProperty("events").GetArrayLength());
    }

    private static async Task<string> MarkdownAsync(params IReadOnlyList<SessionEvent> events)
    {
        var output = new StringWriter();
        await MarkdownTranscript.WriteAsync(s_session, Events(events), output, Now);
        return output.ToString();
    }

    private static async IAsyncEnumerable<Envelope> Events(params IReadOnlyList<SessionEvent> events)
    {
        foreach (var (index, happened) in events.Index())
        {
            yield return new Envelope(index + 1, DateTimeOffset.UnixEpoch, Actor.Model, happened);
        }

        await Task.CompletedTask;
    }
}

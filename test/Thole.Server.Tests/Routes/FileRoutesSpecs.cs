using Thole.Protocol;
using Thole.Server.Routes;

namespace Thole.Server.Tests.Routes;

public sealed class FileRoutesSpecs
{
    private readonly FakeFiles _files = new();

    [Theory]
    [InlineData(
        "/file?path=src/a",
        """{"kind":"file","path":"src/a","content":"a\r\n","encoding":"utf-8","bom":true,"lineEnding":"crlf","sizeBytes":6,"returnedBytes":3,"truncated":false,"hash":"sha256:00","matchedIgnore":null,"originalLineCount":2,"hasMore":false}"""
    )]
    [InlineData(
        "/file/bytes?path=a",
        """{"kind":"file_bytes","path":"a","offset":0,"sizeBytes":9,"returnedBytes":3,"truncated":true,"contentBase64":"YWJj"}"""
    )]
    [InlineData("/stat?path=.", """{"kind":"stat","path":".","type":"directory","sizeBytes":4096,"modifiedMs":1700000000000}""")]
    [InlineData(
        "/list?path=.",
        """{"kind":"list","path":".","entries":[{"name":"a","kind":"symlink","ignored":true}],"truncated":false,"matchedIgnore":"directory"}"""
    )]
    [InlineData(
        "/glob?pattern=*.cs",
        """{"kind":"glob","pattern":"*.cs","cwd":".","matches":["a"],"count":1,"truncated":false,"durationMs":5}"""
    )]
    public async Task A_question_is_answered_in_the_form_that_clients_know(string target, string body)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", target, "", ("Authorization", $"Bearer {FakeTokens.Observer}"));

        Assert.Equal((200, body), (answer.Status, answer.Body));
        Assert.Equal(("no-store", "nosniff"), (answer.Header("Cache-Control"), answer.Header("X-Content-Type-Options")));
    }

    [Fact]
    public async Task What_the_query_says_is_what_is_asked()
    {
        await using var daemon = await StartAsync();

        await daemon.SendAsync("GET", "/file?path=a%20b%2Fc&maxBytes=10&line=3&limit=4");
        await daemon.SendAsync("GET", "/file?path=a&cursor=7.x");
        await daemon.SendAsync("GET", "/file/bytes?path=a&offset=5&maxBytes=6");
        await daemon.SendAsync("GET", "/file/bytes?path=a");
        await daemon.SendAsync("GET", "/list?path=.&includeIgnored=true");
        await daemon.SendAsync("GET", "/glob?pattern=*&cwd=src&includeIgnored=1&maxResults=7");
        await daemon.SendAsync("GET", "/glob?pattern=*");

        Assert.Equal(
            [
                (
                    "a b/c",
                    new TextWindow
                    {
                        MaxBytes = 10,
                        Line = 3,
                        Limit = 4,
                    }
                ),
                ("a", new TextWindow { Cursor = "7.x" }),
                ("a", 5L, 6),
                ("a", 0L, 65_536),
                (".", true),
                new GlobQuery("*")
                {
                    Cwd = "src",
                    IncludeIgnored = true,
                    MaxResults = 7,
                },
                new GlobQuery("*"),
            ],
            _files.Asked
        );
    }

    [Theory]
    [InlineData("/file")]
    [InlineData("/file?path=a&maxBytes=0")]
    [InlineData("/file?path=a&maxBytes=262145")]
    [InlineData("/file?path=a&line=0")]
    [InlineData("/file?path=a&limit=2001")]
    [InlineData("/file?path=a&limit=ten")]
    [InlineData("/file/bytes?path=a&offset=-1")]
    [InlineData("/stat")]
    [InlineData("/list?path=.&includeIgnored=perhaps")]
    [InlineData("/glob")]
    [InlineData("/glob?pattern=*&maxResults=50001")]
    public async Task What_does_not_fit_is_a_parse_error_and_is_not_asked(string target)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", target);

        Assert.Equal((400, "parse_error"), (answer.Status, answer.Code));
        Assert.Equal("parse_error", answer.Json!.Value.GetProperty("errorKind").GetString());
        Assert.Empty(_files.Asked);
    }

    [Theory]
    [InlineData("path_outside_workspace", 400)]
    [InlineData("symlink_escape", 400)]
    [InlineData("parse_error", 400)]
    [InlineData("invalid_argument", 400)]
    [InlineData("permission_denied", 403)]
    [InlineData("path_not_found", 404)]
    [InlineData("hash_mismatch", 409)]
    [InlineData("file_already_exists", 409)]
    [InlineData("file_too_large", 413)]
    [InlineData("binary_file", 422)]
    [InlineData("text_not_found", 422)]
    [InlineData("ambiguous_text_match", 422)]
    [InlineData("io_error", 503)]
    public async Task A_refusal_has_its_status_and_its_word_twice(string reason, int status)
    {
        _files.Refusal = new RefusedException(reason, "It is so: do this.");
        await using var daemon = await StartAsync();

        foreach (var answer in (RawAnswer[])[await daemon.SendAsync("GET", "/file?path=a"), await WriteAsync(daemon, "create")])
        {
            Assert.Equal(status, answer.Status);
            Assert.Equal(
                $$"""{"error":"It is so: do this.","code":"{{reason}}","errorKind":"{{reason}}","status":{{status}}}""",
                answer.Body
            );
        }
    }

    [Theory]
    [InlineData("create", 201, "true")]
    [InlineData("replace", 200, "false")]
    public async Task A_write_says_whether_the_file_is_new(string mode, int status, string created)
    {
        await using var daemon = await StartAsync();

        var answer = await WriteAsync(daemon, mode);

        Assert.Equal(status, answer.Status);
        Assert.Equal(
            $$"""{"kind":"file_write","path":"a","mode":"{{mode}}","created":{{created}},"sizeBytes":1,"hash":"sha256:00","encoding":"utf-8","bom":false,"lineEnding":"lf","matchedIgnore":"file"}""",
            answer.Body
        );
        var asked = Assert.IsType<FileWrite>(Assert.Single(_files.Asked));
        Assert.True(asked.MayMakeProgramsRun); // the scope of the route is the right to
        Assert.Equal(
            ("x", "h", true, "latin1", LineEnding.Crlf),
            (asked.Content, asked.ExpectedHash, asked.Bom, asked.Encoding, asked.LineEnding)
        );
    }

    [Fact]
    public async Task An_edit_says_what_it_replaced()
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync(
            "POST",
            "/file/edit",
            """{"path":"a","oldText":"x","newText":"y","expectedHash":"h"}"""
        );

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("""{"kind":"file_edit","path":"a","replacements":1,""", answer.Body);
        Assert.Equal([new FileEdit("a", "x", "y", "h") { MayMakeProgramsRun = true }], _files.Asked);
    }

    [Theory]
    [InlineData("/file/write", """{"path":"a","content":"x"}""")]
    [InlineData("/file/write", """{"path":"a","content":"x","mode":"append"}""")]
    [InlineData("/file/write", """{"path":"a","content":null,"mode":"create"}""")]
    [InlineData("/file/write", """{"path":"a","path":"b","content":"x","mode":"create"}""")]
    [InlineData("/file/write", """[]""")]
    [InlineData("/file/write", """{"path":""")]
    [InlineData("/file/edit", """{"path":"a","oldText":"x","newText":"y"}""")]
    public async Task A_body_that_does_not_fit_is_a_parse_error_and_nothing_is_written(string target, string body)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", target, body);

        Assert.Equal(400, answer.Status);
        Assert.Equal("parse_error", answer.Json!.Value.GetProperty("errorKind").GetString());
        Assert.Empty(_files.Asked);
    }

    [Theory]
    [InlineData("/file/write")]
    [InlineData("/file/edit")]
    public async Task Who_may_only_observe_changes_nothing(string target)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", target, "{}", ("Authorization", $"Bearer {FakeTokens.Observer}"));

        Assert.Equal((403, "insufficient_scope"), (answer.Status, answer.Code));
        Assert.Empty(_files.Asked);
    }

    private Task<TestDaemon> StartAsync() => TestDaemon.StartAsync([.. FileRoutes.Create(_files)]);

    private static Task<RawAnswer> WriteAsync(TestDaemon daemon, string mode) =>
        daemon.SendAsync(
            "POST",
            "/file/write",
            $$"""{"path":"a","content":"x","mode":"{{mode}}","expectedHash":"h","bom":true,"encoding":"latin1","lineEnding":"crlf"}"""
        );
}

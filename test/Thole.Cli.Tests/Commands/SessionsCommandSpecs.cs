using System.CommandLine;
using System.Text;
using System.Text.Json;
using Thole.Cli.Commands;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Cli.Tests.Commands;

public sealed class SessionsCommandSpecs : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("thole-sessions-").FullName;
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly Dictionary<string, string> _files = [];
    private Func<string, bool>? _confirm;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task List_shows_this_workspace_newest_first_and_as_JSON_with_ids()
    {
        await AddAsync("aaa-1", "/here", "first \u001b]0;evil\u0007 prompt", 1);
        await AddAsync("aab-2", "/here", "second", 2);
        await AddAsync("ccc-3", "/there", "third", 3);
        Assert.Equal(0, await RunAsync("list"));
        var lines = _output.ToString().TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("aab-2", lines[0]);
        Assert.DoesNotContain('\u001b', _output.ToString());

        Assert.Equal(0, await RunAsync("list", "--json", "--all", "--limit", "2"));
        var listed = JsonElement.Parse(_output.ToString());
        Assert.Equal(["ccc-3", "aab-2"], listed.EnumerateArray().Select(session => session.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Show_takes_the_beginning_of_an_id_and_an_unknown_or_ambiguous_one_is_bad_usage()
    {
        await AddAsync("aaa-1", "/here", "What is a thole?", 1);
        await AddAsync("aab-2", "/here", "second", 2);
        Assert.Equal(0, await RunAsync("show", "aaa"));
        Assert.Contains("> What is a thole?", _output.ToString());
        Assert.Equal(2, await RunAsync("show", "aa"));
        Assert.Contains("2 sessions begin with 'aa'", _error.ToString());
        Assert.Equal(2, await RunAsync("show", "../../etc/passwd"));
        Assert.Contains("There is no session", _error.ToString());
    }

    [Theory]
    [InlineData("markdown")]
    [InlineData("json")]
    [InlineData("jsonl")]
    [InlineData("html")]
    public async Task Export_writes_the_same_to_a_file_and_to_the_output(string format)
    {
        await AddAsync("aaa-1", "/here", "Käthe \ud83d\udea3 rows", 1);
        Assert.Equal(0, await RunAsync("export", "aaa-1", "--format", format));
        var printed = _output.ToString();
        Assert.Contains("Käthe", printed);
        Assert.Equal(0, await RunAsync("export", "aaa-1", "--format", format, "--output", "out"));
        Assert.Equal(printed, _files["out"]);
        Assert.Empty(_output.ToString());
        Assert.NotEqual(0, await RunAsync("export", "aaa-1", "--format", "pdf"));
    }

    [Fact]
    public async Task Delete_asks_and_where_there_is_nobody_to_ask_wants_yes()
    {
        await AddAsync("aaa-1", "/here", "hello", 1);
        Assert.Equal(2, await RunAsync("delete", "aaa-1"));
        Assert.Contains("--yes", _error.ToString());
        _confirm = _ => false;
        Assert.Equal(1, await RunAsync("delete", "aaa-1"));
        Assert.Equal(0, await RunAsync("show", "aaa-1"));
        _confirm = question => question.Contains("hello");
        Assert.Equal(0, await RunAsync("delete", "aaa-1"));
        Assert.Equal(2, await RunAsync("delete", "aaa-1", "--yes"));
    }

    [Fact]
    public async Task Verify_prints_the_head_and_fails_where_a_byte_was_changed()
    {
        await AddAsync("aaa-1", "/here", "What is a thole?", 1);
        Assert.Equal(0, await RunAsync("verify", "aaa-1"));
        Assert.Matches("aaa-1  intact  2 events, 0 blobs, head [0-9a-f]{64}", _output.ToString());
        Assert.Equal(2, await RunAsync("verify"));
        Assert.Equal(0, await RunAsync("verify", "--all"));
        var path = Path.Join(_folder, "aaa-1.db");
        var bytes = await File.ReadAllBytesAsync(path, Now);
        bytes[bytes.AsSpan().IndexOf("is a thole"u8)] = (byte)'I';
        await File.WriteAllBytesAsync(path, bytes, Now);
        Assert.Equal(1, await RunAsync("verify", "--all"));
        Assert.Contains("event 2 is not what was written", _output.ToString());
    }

    [Fact]
    public async Task Search_finds_what_was_said()
    {
        await AddAsync("aaa-1", "/here", "What is a thole?", 1);
        Assert.Equal(0, await RunAsync("search", "thole", "what"));
        Assert.StartsWith("aaa-1", _output.ToString());
        Assert.Equal(0, await RunAsync("search", "walrus"));
        Assert.Empty(_output.ToString());
    }

    private async Task<int> RunAsync(params string[] arguments)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        using var catalogue = new Catalogue(_folder);
        var command = new SessionsCommand(
            () => catalogue,
            () => "/here",
            _output,
            _error,
            (path, content, _) =>
            {
                _files[path] = Encoding.UTF8.GetString(content.Span);
                return ValueTask.CompletedTask;
            },
            _confirm
        ).Create();
        return await command.Parse(arguments).InvokeAsync(new InvocationConfiguration { Output = _output, Error = _error }, Now);
    }

    private async Task AddAsync(string id, string workspace, string prompt, int minute)
    {
        var store = new SqliteEventStore(_folder, TimeProvider.System, () => "boot", EventUpgrades.All);
        await using var log = store.Create(new SessionId(id));
        var at = DateTimeOffset.UnixEpoch.AddMinutes(minute);
        await log.AppendAsync(
            [
                new(1, at, Actor.Runtime, new SessionOpened(new SessionId(id), workspace, "m", ApprovalMode.Default, "0.1.0")),
                new(2, at, Actor.User, new TurnStarted(new TurnId("t"), new PromptId("p"), [new TextContent(prompt)])),
            ],
            durable: true,
            Now
        );
    }
}

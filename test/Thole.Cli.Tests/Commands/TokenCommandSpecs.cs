using System.CommandLine;
using System.Text.Json;
using Thole.Cli.Commands;
using Thole.Core.Access;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Cli.Tests.Commands;

public sealed class TokenCommandSpecs : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Issue_prints_the_token_alone_and_list_never_does()
    {
        Assert.Equal(0, await RunAsync("issue", "editor", "--scope", "observe,prompt"));
        var token = Assert.Single(Lines());
        Assert.StartsWith("thole_", token);
        Assert.Empty(_error.ToString());
        Assert.Equal(Scope.Observe | Scope.Prompt, new AccessTokens("owner-owner-owner", File(), _time).Identify(token)!.Scopes);

        Assert.Equal(0, await RunAsync("list"));
        Assert.Matches("^editor +issued 2026-01-02 .* until revoked +observe,prompt$", Assert.Single(Lines()));

        Assert.Equal(0, await RunAsync("list", "--json"));
        var listed = Assert.Single(JsonElement.Parse(_output.ToString()).EnumerateArray());
        Assert.Equal("editor", listed.GetProperty("name").GetString());
        Assert.False(listed.TryGetProperty("sha256", out _));
        Assert.False(listed.TryGetProperty("expiresAt", out _));
    }

    [Fact]
    public async Task A_token_may_end_by_itself()
    {
        Assert.Equal(0, await RunAsync("issue", "guest", "--scope", "observe", "--expires", "30d"));
        Assert.Equal(0, await RunAsync("list", "--json"));
        var listed = Assert.Single(JsonElement.Parse(_output.ToString()).EnumerateArray());
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromDays(30), listed.GetProperty("expiresAt").GetDateTimeOffset());

        _time.Advance(TimeSpan.FromDays(31));
        Assert.Equal(0, await RunAsync("list"));
        Assert.Contains("expired", Assert.Single(Lines()));
    }

    [Fact]
    public async Task Revoke_ends_it_and_an_unknown_name_is_bad_usage()
    {
        Assert.Equal(0, await RunAsync("issue", "editor", "--scope", "observe"));
        Assert.Equal(0, await RunAsync("revoke", "editor"));
        Assert.Equal("Revoked the token editor.", Assert.Single(Lines()));
        Assert.Equal(2, await RunAsync("revoke", "editor"));
        Assert.Contains("There is no token called 'editor'", _error.ToString());
        Assert.Equal(0, await RunAsync("list"));
        Assert.Empty(_output.ToString());
        Assert.Contains("No tokens were issued", _error.ToString());
    }

    [Theory]
    [InlineData("issue", "editor")]
    [InlineData("issue", "editor", "--scope", "everything")]
    [InlineData("issue", "editor", "--scope", ",")]
    [InlineData("issue", "editor", "--scope", "observe", "--expires", "0d")]
    [InlineData("issue", "editor", "--scope", "observe", "--expires", "-3d")]
    [InlineData("issue", "editor", "--scope", "observe", "--expires", "30")]
    [InlineData("issue", "editor", "--scope", "observe", "--expires", "999999999d")]
    [InlineData("issue", "owner", "--scope", "observe")]
    public async Task What_cannot_be_issued_is_not(params string[] arguments)
    {
        Assert.NotEqual(0, await RunAsync(arguments));
        Assert.Empty(_output.ToString());
        Assert.Empty(File().List());
    }

    private TokenFile File() => new(_folder.File("access"), _time);

    private string[] Lines() => _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<int> RunAsync(params string[] arguments)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        var parsed = new TokenCommand(File, _output, _error, _time).Create().Parse(arguments);
        return parsed.Errors is [] ? await parsed.InvokeAsync(cancellationToken: TestContext.Current.CancellationToken) : 2;
    }
}

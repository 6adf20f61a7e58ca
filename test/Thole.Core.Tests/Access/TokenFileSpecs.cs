using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Access;

public sealed class TokenFileSpecs : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly TokenFile _file;
    private readonly AccessTokens _tokens;

    public TokenFileSpecs()
    {
        _file = new TokenFile(_folder.File("access"), _time);
        _tokens = new AccessTokens("the-token-of-the-owner", _file, _time);
    }

    private string Path => _folder.File("access/tokens.json");

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_issued_token_proves_its_name_and_scopes_and_nothing_else_does()
    {
        var token = await IssueAsync("editor", Scope.Observe | Scope.Prompt);

        var identity = _tokens.Identify(token);

        Assert.Equal(("editor", Scope.Observe | Scope.Prompt), (identity!.Name, identity.Scopes));
        Assert.True(identity.May(Scope.Observe));
        Assert.False(identity.May(Scope.Approve));
        Assert.False(identity.May(Scope.Observe | Scope.Administer));
        Assert.All(
            ["", token[..^1], token + "x", token.ToUpperInvariant(), "thole_"],
            wrong => Assert.Null(_tokens.Identify(wrong))
        );
    }

    [Fact]
    public void The_owner_may_everything_and_needs_no_file()
    {
        Assert.Equal(new Identity("owner", Scope.All), _tokens.Identify("the-token-of-the-owner"));
        Assert.False(Directory.Exists(_folder.File("access")));
    }

    [Fact]
    public async Task Tokens_are_256_bits_and_are_kept_as_hashes_only()
    {
        var first = await IssueAsync("one");
        var second = await IssueAsync("two");

        Assert.Matches("^thole_[A-Za-z0-9_-]{43}$", first);
        Assert.NotEqual(first, second);
        var kept = File.ReadAllText(Path);
        Assert.DoesNotContain(first, kept);
        Assert.DoesNotContain(first["thole_".Length..], kept);
        Assert.Matches("\"sha256\": \"[0-9a-f]{64}\"", kept);
    }

    [Fact]
    public async Task S56_the_files_are_their_owners_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Permissions of Unix.");
        await IssueAsync("editor");
        var owner = await OwnerToken.GetAsync(null, _folder.File("access"), _time, Now);

#pragma warning disable CA1416 // skipped above
        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(_folder.File("access")));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(Path));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(owner.File!));
#pragma warning restore CA1416
    }

    [Fact]
    public async Task Another_process_revokes_and_a_running_daemon_knows_within_a_second()
    {
        var token = await IssueAsync("editor");
        var identity = _tokens.Identify(token)!;
        Assert.True(_tokens.IsCurrent(identity));

        await new TokenFile(_folder.File("access"), _time).RevokeAsync("editor", Now);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(_tokens.Identify(token));
        Assert.False(_tokens.IsCurrent(identity));
    }

    [Fact]
    public async Task A_token_that_is_issued_again_under_an_old_name_is_another_one()
    {
        var token = await IssueAsync("editor");
        var identity = _tokens.Identify(token)!;
        await _file.RevokeAsync("editor", Now);
        var again = await IssueAsync("editor");

        Assert.Null(_tokens.Identify(token));
        Assert.False(_tokens.IsCurrent(identity));
        Assert.Equal("editor", _tokens.Identify(again)!.Name);
    }

    [Fact]
    public async Task An_expired_token_opens_nothing_and_its_name_is_free_again()
    {
        var token = await _file.IssueAsync("guest", Scope.Observe, TimeSpan.FromHours(1), Now);
        _time.Advance(TimeSpan.FromMinutes(59));
        var identity = _tokens.Identify(token);
        Assert.NotNull(identity);

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(_tokens.Identify(token));
        Assert.False(_tokens.IsCurrent(identity));
        Assert.True(Assert.Single(_file.List()).IsExpired(_time.GetUtcNow()));
        Assert.NotEmpty(await IssueAsync("guest"));
        Assert.Single(_file.List());
    }

    [Fact]
    public async Task A_name_is_given_once_and_none_of_ours_is_given_at_all()
    {
        await IssueAsync("editor");

        Assert.Equal("token_exists", await ReasonAsync(() => IssueAsync("editor")));
        Assert.Equal("token_not_found", await ReasonAsync(() => _file.RevokeAsync("nobody", Now)));
        foreach (
            var name in new[]
            {
                "owner",
                "Owner",
                "user",
                "model",
                "tool",
                "runtime",
                "",
                "a b",
                "a\u001b[2J",
                "../x",
                "a\r\nb",
                new string('a', 65),
            }
        )
        {
            Assert.Equal("token_name_invalid", await ReasonAsync(() => IssueAsync(name)));
        }

        Assert.Equal("scope_missing", await ReasonAsync(() => IssueAsync("nothing", Scope.None)));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("{}")]
    [InlineData("{\"tokens\":[{\"name\":\"a\"}]}")]
    [InlineData("{\"tokens\":null}")]
    public async Task A_file_that_makes_no_sense_opens_nothing_and_is_said_to_make_none(string content)
    {
        var token = await IssueAsync("editor");
        Assert.NotNull(_tokens.Identify(token));
        File.WriteAllText(Path, content);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(_tokens.Identify(token));
        Assert.NotNull(_tokens.Identify("the-token-of-the-owner"));
        Assert.Contains("issue them anew", Assert.Throws<WorkspaceException>(() => _file.List()).Message);
    }

    [Fact]
    public async Task A_file_that_others_can_write_is_not_believed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Permissions of Unix.");
        var token = await IssueAsync("editor");
#pragma warning disable CA1416 // skipped above
        File.SetUnixFileMode(Path, (UnixFileMode)0x1B6);
#pragma warning restore CA1416
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(_tokens.Identify(token));
        Assert.Contains("chmod 600", Assert.Throws<WorkspaceException>(() => _file.List()).Message);
    }

    [Fact]
    public async Task Many_who_issue_at_once_lose_nothing()
    {
        var names = Enumerable.Range(0, 20).Select(number => $"client-{number}").ToArray();
        await Task.WhenAll(
            names.Select(name =>
                Task.Run(
                    () => new TokenFile(_folder.File("access"), TimeProvider.System).IssueAsync(name, Scope.Observe, null, Now),
                    Now
                )
            )
        );

        Assert.Equal(names.Order(), _file.List().Select(token => token.Name).Order());
    }

    [Fact]
    public async Task The_owners_token_is_made_once_unless_the_environment_gives_one()
    {
        var made = await OwnerToken.GetAsync(null, _folder.File("access"), _time, Now);
        var again = await OwnerToken.GetAsync(null, _folder.File("access"), _time, Now);
        var given = await OwnerToken.GetAsync(" 0123456789abcdef\n", _folder.File("access"), _time, Now);

        Assert.Equal(made, again);
        Assert.StartsWith("thole_", made.Value);
        Assert.Equal(new OwnerToken("0123456789abcdef", null), given);
        foreach (var unusable in new[] { "", "too short", "a token with spaces in it", "käthe-käthe-käthe" })
        {
            Assert.Equal("token_unusable", await ReasonAsync(() => OwnerToken.GetAsync(unusable, _folder.Path, _time, Now)));
        }
    }

    private Task<string> IssueAsync(string name, Scope scopes = Scope.Observe)
    {
        _time.Advance(TimeSpan.FromSeconds(1)); // the daemon looks again after that
        return _file.IssueAsync(name, scopes, null, Now);
    }

    private static async Task<string> ReasonAsync(Func<Task> refused) =>
        (await Assert.ThrowsAsync<RefusedException>(refused)).Reason;
}

using System.Text.Json;
using Thole.Protocol;
using Thole.Server.OpenApi;

namespace Thole.Server.Tests;

/// <summary>Every operation that the product has, asked for in every way that must not work.</summary>
public sealed class WalkSpecs
{
    private static readonly IReadOnlyList<Operation> s_operations = Nobody.Operations();

    public static TheoryData<string> Names { get; } = [.. s_operations.Select(operation => operation.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task S51_no_operation_is_reached_without_a_right_token(string name)
    {
        await using var daemon = await StartAsync();
        foreach (var token in new[] { null, "", "Bearer", "Bearer wrong", $"Basic {FakeTokens.Owner}" })
        {
            var answer = await AskAsync(daemon, name, ("Authorization", token));
            Assert.Equal(IsOpen(name) ? (200, null) : (401, "unauthorized"), (answer.Status, answer.Code));
        }

        Assert.Equal(IsOpen(name) ? 5 : 0, daemon.Served);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task S49_S50_no_operation_is_reached_from_a_foreign_page(string name)
    {
        await using var daemon = await StartAsync();
        (string, string)[] pages =
        [
            ("Host", "evil.example"),
            ("Host", "localhost"),
            ("Host", "127.0.0.1.nip.io:PORT"),
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", "http://localhost:PORT"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ];
        foreach (var page in pages)
        {
            Assert.Equal(403, (await AskAsync(daemon, name, page)).Status);
        }

        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_operation_is_reached_with_a_token_for_something_else(string name)
    {
        await using var daemon = await StartAsync();
        var operation = Find(name);
        foreach (
            var scope in new[] { Scope.Observe, Scope.Prompt, Scope.Approve, Scope.Administer }.Where(scope =>
                operation.Scope != scope
            )
        )
        {
            daemon.Tokens.Issue("token-with-one-scope", new Identity("narrow", scope));
            var answer = await AskAsync(daemon, name, ("Authorization", "Bearer token-with-one-scope"));
            Assert.Equal(
                IsOpen(name) || scope.HasFlag(operation.Scope) ? (200, null) : (403, "insufficient_scope"),
                (answer.Status, answer.Code)
            );
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task S53_no_operation_takes_what_a_form_can_send(string name)
    {
        await using var daemon = await StartAsync();
        if (Find(name).RawBodyLimit is not null)
        {
            return;
        }

        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x" })
        {
            var answer = await AskAsync(daemon, name, ("Content-Type", type));
            Assert.Contains(answer.Status, new[] { 400, 415 }); // 400 where a parameter was missing, too
        }

        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task S67_no_operation_is_reached_by_another_spelling_of_its_path(string name)
    {
        await using var daemon = await StartAsync();
        var path = PathOf(name);
        string[] spellings =
        [
            $"/{path}",
            $"{path}/",
            $"{path}/.",
            $"/x/..{path}",
            $"/x/%2e%2e{path}",
            $"/.{path}",
            path.ToUpperInvariant(),
            $"/%{(int)path[1]:x2}{path[2..]}",
            path.Insert(1, "%20"),
            path.Insert(path.IndexOf('/', 1) is > 0 and var next ? next : path.Length, ";x=y"),
        ];
        foreach (var spelling in spellings)
        {
            var anonymous = await AskAtAsync(daemon, name, spelling, ("Authorization", null));
            var answer = await AskAtAsync(daemon, name, spelling, ("X-Nothing", null));

            Assert.True(anonymous.Status is 401 or 400, $"{spelling}: {anonymous}");
            Assert.True(answer.Status is 404 or 400 or 405, $"{spelling}: {answer}");
        }

        Assert.Equal(0, daemon.Served);
    }

    [Fact]
    public void S64_no_operation_sends_a_client_elsewhere()
    {
        var document = JsonElement.Parse(OpenApiDocument.Create(s_operations, "1"));

        Assert.DoesNotContain(
            document
                .GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path => path.Value.EnumerateObject())
                .SelectMany(operation => operation.Value.GetProperty("responses").EnumerateObject())
                .Select(response => response.Name),
            status => status is ['3', ..]
        );
    }

    [Fact]
    public void The_document_of_the_product_can_be_made_and_every_reference_leads_somewhere()
    {
        var document = JsonElement.Parse(OpenApiDocument.Create(s_operations, "1"));
        var schemas = document.GetProperty("components").GetProperty("schemas");

        Assert.All(
            OpenApiSpecs
                .References(document)
                .Where(reference => reference.StartsWith("#/components/schemas/", StringComparison.Ordinal)),
            reference => Assert.True(schemas.TryGetProperty(reference.Split('/')[^1], out _), reference)
        );
        Assert.DoesNotContain(
            OpenApiSpecs.References(document),
            reference => !reference.StartsWith("#/components/", StringComparison.Ordinal)
        );
    }

    private static bool IsOpen(string name) => Find(name).IsAnonymous;

    private static Operation Find(string name) => s_operations.Single(operation => operation.Name == name);

    private static Task<TestDaemon> StartAsync() =>
        TestDaemon.StartAsync(
            new DaemonOptions { Rates = new RateLimits { FailedAttempts = 0 } },
            s_operations.Select(operation =>
                operation with
                {
                    Handle = exchange => exchange.ReplyBytesAsync(default, "text/plain", 200),
                }
            )
        );

    private static Task<RawAnswer> AskAsync(TestDaemon daemon, string name, (string, string?) header) =>
        AskAtAsync(daemon, name, PathOf(name), header);

    private static Task<RawAnswer> AskAtAsync(TestDaemon daemon, string name, string target, (string, string?) header) =>
        daemon.SendAsync(Find(name).Method, target, Find(name).Request is null ? "" : "{}", header);

    private static string PathOf(string name) =>
        string.Join('/', Find(name).Path.Split('/').Select(segment => segment is ['{', ..] ? "a" : segment));
}

using Thole.Server.OpenApi;

namespace Thole.Server.Tests;

/// <summary>Every operation that there is, asked for in every way that must not work.</summary>
public sealed class WalkSpecs
{
    [Fact]
    public async Task No_operation_is_reached_without_a_token_or_from_a_foreign_page()
    {
        var operations = OpenApiRoutes.With([.. TestRoutes.All], "1");
        await using var daemon = await TestDaemon.StartAsync(
            new DaemonOptions { Rates = new RateLimits { FailedAttempts = 0 } },
            operations
        );
        foreach (var operation in operations)
        {
            var target = operation.Path.Replace("{id}", "a");
            Assert.Equal(401, await StatusAsync(daemon, operation, target, ("Authorization", null)));
            Assert.Equal(401, await StatusAsync(daemon, operation, target, ("Authorization", "Bearer wrong")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Host", "evil.example")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Host", "localhost")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Origin", "https://evil.example")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Origin", "null")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Sec-Fetch-Site", "cross-site")));
            Assert.Equal(403, await StatusAsync(daemon, operation, target, ("Sec-Fetch-Site", "same-site")));
        }

        Assert.Equal(0, daemon.Served);
    }

    private static async Task<int> StatusAsync(TestDaemon daemon, Operation operation, string target, (string, string?) header)
    {
        var body = operation.Request is null ? "" : """{"text":"x"}""";
        return (await daemon.SendAsync(operation.Method, target, body, header)).Status;
    }
}

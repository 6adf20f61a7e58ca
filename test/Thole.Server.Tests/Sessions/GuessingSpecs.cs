using System.Text;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Sessions;

/// <summary>S65: whoever guesses the id of a session learns nothing from any answer, not even that there is one elsewhere.</summary>
public sealed class GuessingSpecs
{
    [Fact]
    public async Task S65_a_session_of_another_workspace_is_answered_as_one_that_never_was()
    {
        await using var host = await TestHost.StartAsync(new ScriptedModel());
        var ours = await host.OpenAsync();
        var foreign = await host.Life.Runtime.OpenSessionAsync(
            new OpenSession { Workspace = "/elsewhere", Model = "test/model" },
            TestHost.Cancelled
        );
        await host.RestartAsync();
        var operations = host.Life.Host.Operations.Where(one => one.Path.Contains("/{id}", StringComparison.Ordinal)).ToList();
        Assert.True(operations.Count > 20);

        foreach (var operation in operations)
        {
            var never = await AskAsync(host, operation, Guid.NewGuid().ToString("d"));
            var elsewhere = await AskAsync(host, operation, foreign.Value);

            Assert.InRange(never.Status, 400, 499);
            Assert.Equal(never, elsewhere);
        }

        Assert.Null(host.Live.Find(foreign)); // nor was it opened for them
        (await host.SendAsync("GET", $"/session/{ours}/status")).Expect(200);
        (await host.SendAsync("GET", $"/session/{foreign}/status")).Expect(404);
    }

    private static async Task<(int Status, string Body)> AskAsync(TestHost host, Operation operation, string id)
    {
        var path = operation.Path.Replace("{id}", id, StringComparison.Ordinal);
        var target = string.Join('/', path.Split('/').Select(segment => segment is ['{', ..] ? $"{id}.call_1" : segment));
        var body = operation.Name switch
        {
            _ when operation.Request is null => null,
            "voteSessionPermission" => TestHost.VoteBody(allow: true),
            "promptSession" => TestHost.PromptBody("go"),
            _ => "{}",
        };
        var answer = await host.SendAsync(new Request(operation.Method, target) { Body = body });
        return (answer.Status, Encoding.UTF8.GetString(answer.Body).Replace(id, "the id", StringComparison.Ordinal));
    }
}

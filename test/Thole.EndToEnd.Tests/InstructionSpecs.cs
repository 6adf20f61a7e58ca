namespace Thole.EndToEnd.Tests;

public sealed class InstructionSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task What_people_wrote_for_agents_reaches_the_model_once_and_outer_before_inner()
    {
        await File.WriteAllTextAsync(
            Path.Join(_thole.Home, "AGENTS.md"),
            "[of the user]\n",
            TestContext.Current.CancellationToken
        );
        _thole.Write("AGENTS.md", "[of the top] @shared/more.md\n");
        _thole.Write("shared/more.md", "[imported]\n");
        _thole.Write("app/QWEN.md", "[of the app]\n");
        _thole.Write("app/deep/CLAUDE.md", "[of the deep]\n");
        _thole.Write("app/deep/a.txt", "alpha\n");
        _thole.Write("other/AGENTS.md", "[nobody went there]\n");
        await _thole.CommitAsync();
        _thole
            .Server.Reply(reply => reply.Call("read_file", """{"file_path":"deep/a.txt"}""").Done())
            .Reply(reply => reply.Call("read_file", """{"file_path":"deep/a.txt"}""").Done())
            .ReplyOtherwise(reply => reply.Text("Yes.").Done());

        (await _thole.RunAsync("-p", "x", "--workspace", "app")).MustSucceed();
        (await _thole.RunAsync("-p", "y", "--workspace", "app", "--continue")).MustSucceed();

        var requests = _thole.Server.Requests;
        InOrder(requests[0].Text, "[of the user]", "[of the top]", "[imported]", "[of the app]");
        Assert.DoesNotContain("[of the deep]", requests[0].Text);
        InOrder(requests[^1].Text, "[of the user]", "[of the top]", "[imported]", "[of the app]", "[of the deep]");
        Assert.DoesNotContain("[nobody went there]", requests[^1].Text);
        for (var index = 1; index < requests.Count; index++)
        {
            Assert.StartsWith(
                string.Join('\n', requests[index - 1].Messages.Select(message => message.GetRawText())),
                string.Join('\n', requests[index].Messages.Select(message => message.GetRawText()))
            );
        }
    }

    [Fact]
    public async Task What_changes_in_them_later_does_not_change_what_was_said()
    {
        _thole.Write("AGENTS.md", "[first words]\n");
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "x")).MustSucceed();
        _thole.Write("AGENTS.md", "[other words]\n");
        (await _thole.RunAsync("-p", "y", "--continue")).MustSucceed();
        var (before, after) = (_thole.Server.Requests[0].Messages, _thole.Server.Requests[1].Messages);
        Assert.Equal(
            before.Select(message => message.GetRawText()),
            after.Take(before.Count).Select(message => message.GetRawText())
        );
    }

    [Theory]
    [InlineData("@../outside/secret.txt")]
    [InlineData("@../../etc/passwd")]
    [InlineData("@/etc/passwd")]
    [InlineData("@~/secret.txt")]
    [InlineData("@link.txt")]
    [InlineData("@folder-link/secret.txt")]
    public async Task An_import_does_not_leave_the_workspace(string import)
    {
        var secret = Path.Join(_thole.Outside, "secret.txt");
        await File.WriteAllTextAsync(secret, "[a secret] root:x:0:0", TestContext.Current.CancellationToken);
        File.Copy(secret, Path.Join(_thole.Variables["HOME"], "secret.txt"));
        File.CreateSymbolicLink(_thole.File("link.txt"), secret);
        Directory.CreateSymbolicLink(_thole.File("folder-link"), _thole.Outside);
        _thole.Write("AGENTS.md", $"Before. {import} After.\n");
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "x")).MustSucceed();
        var request = _thole.Server.Requests[0].Text;
        Assert.Contains("Before.", request);
        Assert.DoesNotContain("[a secret]", request);
        Assert.DoesNotContain("root:x:0:0", request);
    }

    /// <summary>Each is there once, and after the one before.</summary>
    private static void InOrder(string text, params string[] parts)
    {
        var at = -1;
        foreach (var part in parts)
        {
            var found = text.IndexOf(part, StringComparison.Ordinal);
            Assert.True(found > at, $"{part} is not where it belongs");
            Assert.True(text.IndexOf(part, found + 1, StringComparison.Ordinal) < 0, $"{part} is said twice");
            at = found;
        }
    }
}

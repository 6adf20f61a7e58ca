using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

/// <summary>What a run was allowed, and what becomes of that when a daemon goes on with its session.</summary>
public sealed class InheritedModeSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_that_a_run_left_in_yolo_asks_again_when_a_daemon_loads_it()
    {
        _thole
            .Server.Reply(reply => reply.Call("write_file", """{"file_path":"a.txt","content":"a"}""").Done())
            .Reply(reply => reply.Text("Done.").Done())
            .Reply(reply => reply.Call("write_file", """{"file_path":"b.txt","content":"b"}""").Done())
            .Reply(reply => reply.Text("Not done.").Done());
        (await _thole.RunAsync("-p", "write a", "--approval-mode", "yolo")).MustSucceed();
        Assert.Equal("a", _thole.Read("a.txt"));

        await using var daemon = await RunningDaemon.StartAsync(_thole);
        using var client = daemon.Connect();
        var session = client.Session(new SessionId(_thole.OnlySession()));
        var status = await session.StatusAsync(Now);
        Assert.Equal(ApprovalMode.Default, status.ApprovalMode);
        await session.PromptAsync("write b", cancellationToken: Now);
        var events = await session.ReadAsync(0, Now).UntilAsync(static happened => happened is PermissionRequested, Now);

        var changed = events.Single(envelope => envelope.Event is ApprovalModeSelected);
        Assert.Equal(new ApprovalModeSelected(ApprovalMode.Default, ApprovalMode.Yolo), changed.Event);
        Assert.Equal(Actor.Runtime, changed.Actor);
        Assert.False(File.Exists(_thole.File("b.txt")));
    }

    public ValueTask DisposeAsync() => _thole.DisposeAsync();
}

using Thole.Core.Workspaces;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>What a session does with the commands that it started when it is put away.</summary>
public sealed class SessionProcessesSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_whose_command_still_runs_in_the_background_is_not_put_away()
    {
        var server = new Background { Runs = true };
        await using var session = await OpenAsync(new Processes { Background = [server] });

        Assert.False(await session.Live.UnloadAsync(session.Id, Now));
        Assert.Equal(0, session.Log.Closed);
        server.Runs = false;

        Assert.True(await session.Live.UnloadAsync(session.Id, Now));
    }

    [Fact]
    public async Task A_session_whose_processes_do_not_end_lets_go_of_its_file_all_the_same()
    {
        await using var session = await OpenAsync(new Processes { Ends = false });

        Assert.True(await session.Live.UnloadAsync(session.Id, Now));
        await session.OpenAgainAsync();
        await session.DisposeAsync();

        Assert.Equal(2, session.Log.Closed);
    }

    private static Task<TestSession> OpenAsync(Processes processes) =>
        TestSession.OpenAsync(new ScriptedModel(), options: new TestOptions { Processes = processes });

    private sealed class Processes : IProcessRunner
    {
        public bool Ends { get; init; } = true;

        public IReadOnlyList<BackgroundCommand> Background { get; init; } = [];

        public Task<ProcessResult> RunAsync(ProcessRequest request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public BackgroundCommand Start(ProcessRequest request) => throw new NotSupportedException();

        public BackgroundCommand? Find(string id) => null;

        public ValueTask DisposeAsync() => Ends ? ValueTask.CompletedTask : throw new IOException("They do not die.");
    }

    private sealed class Background : BackgroundCommand
    {
        public bool Runs { get; set; }

        public override string Id => "bg_00000001";

        public override string Command => "serve";

        public override bool IsRunning => Runs;

        public override Task<ProcessResult> Ended => throw new NotSupportedException();

        public override ProcessResult? Result => null;

        public override string ReadNew(int limit) => "";

        public override Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

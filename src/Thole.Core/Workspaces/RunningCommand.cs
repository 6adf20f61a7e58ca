namespace Thole.Core.Workspaces;

/// <summary>A command from its start to its end, in the foreground or beside the conversation.</summary>
internal sealed class RunningCommand : BackgroundCommand
{
    private static readonly TimeSpan s_afterInterrupt = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_afterTerminate = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_afterKill = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly ChildProcess _child;
    private readonly TimeProvider _time;
    private Task? _stopping;
    private ProcessEnd _reason = ProcessEnd.Exited;
    private bool _isSettled;
    private volatile ProcessResult? _result;

    public RunningCommand(string id, string command, ChildProcess child, TimeProvider time)
    {
        Id = id;
        Command = command;
        _child = child;
        _time = time;
        Ended = FinishAsync();
    }

    public override string Id { get; }

    public override string Command { get; }

    public override bool IsRunning => _result is null;

    public override ProcessResult? Result => _result;

    public override Task<ProcessResult> Ended { get; }

    public override string ReadNew(int limit) => _child.Output.ReadNew(limit, isEnded: !IsRunning);

    public override Task StopAsync(CancellationToken cancellationToken) =>
        StopAsync(ProcessEnd.Interrupted).WaitAsync(cancellationToken);

    /// <summary>Ends it and all that came of it. A command that ended by itself meanwhile has ended by itself.</summary>
    public async Task<ProcessResult> StopAsync(ProcessEnd reason)
    {
        Task stopping;
        lock (_gate)
        {
            if (!_isSettled && _stopping is null)
            {
                _reason = reason;
                _stopping = Task.Run(EndAsync, CancellationToken.None);
            }

            stopping = _stopping ?? Ended;
        }

        await stopping;
        await ((Task)Ended).WaitAsync(s_afterKill, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // What the kernel does not let go (a dead network disk) does not hold us: it is told as it stands.
        return _result ?? new ProcessResult(_child.Output.Text(), _child.Output.Total, ExitCode: null, Signal: null, reason);
    }

    private async Task EndAsync()
    {
        _child.Remember();
        _child.Interrupt();
        if (!await EndsWithinAsync(s_afterInterrupt))
        {
            _child.Remember();
            _child.Terminate();
            await EndsWithinAsync(s_afterTerminate);
        }

        await _child.KillTreeAsync();
    }

    private async Task<bool> EndsWithinAsync(TimeSpan patience)
    {
        await _child.Ended.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _child.Ended.IsCompleted;
    }

    private async Task<ProcessResult> FinishAsync()
    {
        await _child.Drained;
        Task? stopping;
        lock (_gate)
        {
            _isSettled = true;
            stopping = _stopping;
        }

        if (stopping is not null)
        {
            await stopping;
        }

        var (exitCode, signal) = _child.Reap();
        return _result = new ProcessResult(_child.Output.Text(), _child.Output.Total, exitCode, signal, _reason);
    }
}

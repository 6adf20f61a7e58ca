namespace Thole.Core.Workspaces;

/// <summary>
/// Starts the commands of one session, each in a session and process group of its own, with an environment that holds
/// no secret of ours; and ends all of them when it is disposed.
/// </summary>
public interface IProcessRunner : IAsyncDisposable
{
    /// <summary>
    /// Runs to its end, or until <paramref name="cancellationToken"/> or the time limit stops it: interrupt, then terminate, then kill of the whole
    /// group. Always returns what was printed; does not wait for a background child that holds the pipe.
    /// </summary>
    Task<ProcessResult> RunAsync(ProcessRequest request, CancellationToken cancellationToken);

    /// <summary>Starts and returns at once. <see cref="ProcessRequest.Timeout"/> does not apply.</summary>
    BackgroundCommand Start(ProcessRequest request);

    /// <summary>A command that was started in this session, running or ended; null where the id is unknown.</summary>
    BackgroundCommand? Find(string id);

    IReadOnlyList<BackgroundCommand> Background { get; }
}

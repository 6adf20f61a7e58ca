namespace Thole.Core.Workspaces;

/// <summary>A command line for the shell of the platform (<c>bash -c</c>, else <c>sh -c</c>; <c>cmd /c</c> on Windows).</summary>
public sealed record ProcessRequest(string Command, string Directory, TimeSpan Timeout)
{
    /// <summary>
    /// A program by its full path and its arguments, each as it stands, that no shell reads; <see cref="Command"/> then only
    /// says for people what runs.
    /// </summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>All that it finds in its environment; null for what every command of ours finds.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>For an output that a program of ours reads: standard error is thrown away, and only the beginning is kept.</summary>
    public int? OutputOnly { get; init; }
}

/// <summary>How a command ended.</summary>
/// <param name="Output">Standard output and error as they were interleaved, decoded as UTF-8; head and tail where it was longer than kept.</param>
/// <param name="TotalBytes">All that was printed, kept or not.</param>
/// <param name="ExitCode">Null where a signal ended it.</param>
/// <param name="Signal">The signal's name where one ended it.</param>
public sealed record ProcessResult(string Output, long TotalBytes, int? ExitCode, string? Signal, ProcessEnd End);

public enum ProcessEnd
{
    /// <summary>By itself.</summary>
    Exited,

    /// <summary>Its time was up.</summary>
    TimedOut,

    /// <summary>Somebody asked.</summary>
    Interrupted,
}

/// <summary>A command that runs beside the conversation; its output can be read while it runs and after it ended.</summary>
public abstract class BackgroundCommand
{
    /// <summary><c>bg_</c> and eight hex digits.</summary>
    public abstract string Id { get; }

    public abstract string Command { get; }

    public abstract bool IsRunning { get; }

    /// <summary>For whoever waits for the end; never fails.</summary>
    public abstract Task<ProcessResult> Ended { get; }

    /// <summary>Set once it has ended.</summary>
    public abstract ProcessResult? Result { get; }

    /// <summary>What was printed since the last read, at most <paramref name="limit"/> bytes of it (the newest).</summary>
    public abstract string ReadNew(int limit);

    public abstract Task StopAsync(CancellationToken cancellationToken);
}

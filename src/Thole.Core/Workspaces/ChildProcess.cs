namespace Thole.Core.Workspaces;

/// <summary>A started program and everything it starts: what it prints, when it ends, and how it is made to end.</summary>
internal abstract class ChildProcess(KeptOutput output)
{
    // Long enough for a writer at the end of a pipeline that outlives the shell (bash does not wait for `> >(tee log)`),
    // short enough that a server left in the background does not hold the answer.
    protected static readonly TimeSpan DrainTime = TimeSpan.FromMilliseconds(200);

    public KeptOutput Output { get; } = output;

    /// <summary>The program itself has ended; others may still run and print.</summary>
    public abstract Task Ended { get; }

    /// <summary>It has ended and what it printed is in <see cref="Output"/>.</summary>
    public abstract Task Drained { get; }

    /// <summary>Notes who belongs to it, while they can still be told by their parents.</summary>
    public abstract void Remember();

    public abstract void Interrupt();

    public abstract void Terminate();

    /// <summary>Kills it and all that belongs to it; returns when none is left, or after a bounded time where one cannot be killed.</summary>
    public abstract Task KillTreeAsync();

    /// <summary>How it ended. Called once, after <see cref="Drained"/>; no signal may be sent afterwards.</summary>
    public abstract (int? ExitCode, string? Signal) Reap();
}

namespace Thole.Cli;

/// <summary>How the process ends, for scripts. docs/cli.md lists them for people.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>A defect of ours, or a disk that does not take what must be kept.</summary>
    public const int Failed = 1;

    /// <summary>Arguments, settings, a workspace or a session that cannot be.</summary>
    public const int BadUsage = 2;

    /// <summary>The answer came, but a call was refused because nobody could be asked.</summary>
    public const int WorkRefused = 3;

    public const int NoCredentials = 4;

    public const int ProviderFailed = 5;

    /// <summary>Steps, context window, output, a budget, or no progress.</summary>
    public const int LimitReached = 6;

    /// <summary>128 + SIGINT, as shells count.</summary>
    public const int Interrupted = 130;
}

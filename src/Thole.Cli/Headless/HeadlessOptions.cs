namespace Thole.Cli.Headless;

/// <summary>What one run without a person was asked for.</summary>
internal sealed record HeadlessOptions
{
    /// <summary>Null where prompts come as JSON lines on standard input.</summary>
    public required string? Prompt { get; init; }

    public required OutputFormat Output { get; init; }

    public bool IncludePartialMessages { get; init; }

    /// <summary>Go on with the newest session of the workspace.</summary>
    public bool Continue { get; init; }

    /// <summary>Go on with this session: its id, or the beginning of it.</summary>
    public string? Resume { get; init; }
}

internal enum OutputFormat
{
    Text,
    Json,
    StreamJson,
}

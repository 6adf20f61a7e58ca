namespace Thole.Server;

/// <summary>Where the daemon listens and what it puts up with.</summary>
public sealed record DaemonOptions
{
    /// <summary>An address, or a name that stands for one.</summary>
    public string Hostname { get; init; } = "127.0.0.1";

    /// <summary>0 for any free one.</summary>
    public int Port { get; init; } = 4170;

    /// <summary>Further connections are closed as they come; 0 for no limit.</summary>
    public int MaxConnections { get; init; } = 256;

    public long MaxBodyBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>Web pages that may call: <c>scheme://host[:port]</c>, exactly.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Everybody on this machine is the owner. On a loopback address only.</summary>
    public bool InsecureNoAuth { get; init; }

    /// <summary>PEM files, both or neither.</summary>
    public string? TlsCertificatePath { get; init; }

    public string? TlsKeyPath { get; init; }

    /// <summary>How often a client may ask.</summary>
    public RateLimits Rates { get; init; } = new();

    /// <summary>How long a body may trickle (less than 240 bytes a second) before it is given up.</summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the head of a request may take.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection may ask nothing, before its first request and between two.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Folders that are named in no answer: the workspace, our state, the user's home.</summary>
    public IReadOnlyList<string> PrivatePaths { get; init; } = [];
}

/// <summary>Requests a minute of one identity; 0 for no limit.</summary>
public sealed record RateLimits
{
    public int Prompt { get; init; } = 600;

    public int Mutation { get; init; } = 3000;

    public int Read { get; init; } = 12_000;

    /// <summary>Wrong tokens from one address, before further ones are answered with 429.</summary>
    public int FailedAttempts { get; init; } = 30;
}

/// <summary>The daemon cannot listen as it was told to; the message is one sentence with the cure.</summary>
public sealed class CannotListenException(string message, Exception? inner = null) : Exception(message, inner);

namespace Thole.Client;

/// <summary>How a client speaks to its daemon. The defaults suit one on this machine.</summary>
public sealed record ClientOptions
{
    /// <summary>
    /// Asked before every attempt where the daemon listens now; null while it does not. For a daemon that comes back on another port,
    /// and so that its token is never shown to whoever took the port of one that died.
    /// </summary>
    public Func<Uri?>? Locate { get; init; }

    /// <summary>A stream that says nothing for so long is dead, and so is a request: three heartbeats of the daemon.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>For how long something is asked again of a daemon that cannot be reached, or takes nothing just now.</summary>
    public TimeSpan AskingPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For how long a reader tries to find a daemon again that it has lost; as long as it takes, unless set.</summary>
    public TimeSpan ReadingPatience { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Told when a reader has lost the daemon, and when it has found it again.</summary>
    public Action<Contact>? OnContact { get; init; }

    /// <summary>The SHA-256, in hex, of the one certificate that is believed; null for those that the system believes.</summary>
    public string? Certificate { get; init; }

    /// <summary>How requests travel, where the system's own way does not suit: certificates, proxies. The client does not dispose it.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>The clock of every wait and limit.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>From 0 to 1: spreads the attempts of many clients that lost their daemon at once.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>Names prompts, so that one that is sent twice is known as one.</summary>
    public Func<Guid> NewId { get; init; } = Guid.NewGuid;
}

/// <summary>Whether a reader hears its daemon.</summary>
public enum Contact
{
    /// <summary>The stream broke, and could not be opened again at once.</summary>
    Lost,

    /// <summary>It is open again, and goes on where it was.</summary>
    Found,
}

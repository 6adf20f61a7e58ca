using System.Text.Json;
using Thole.Client;
using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

/// <summary>A daemon of the real program, which can be killed and started again where it was.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private const string Announcement = "thole serve listening on ";

    private readonly TholeProgram _thole;
    private readonly string[] _flags;
    private RunningThole _process;

    private RunningDaemon(TholeProgram thole, string[] flags) =>
        (_thole, _flags, _process) = (thole, flags, thole.Start(["serve", "--port", "0", .. flags]));

    public Uri Address { get; private set; } = null!;

    /// <summary>What it told its owner so far.</summary>
    public string Said => _process.Error.ToString();

    /// <summary>What clients show: the one the environment gives, else the one it has made.</summary>
    public string Token =>
        _thole.Variables.TryGetValue("THOLE_SERVER_TOKEN", out var given)
            ? given
            : File.ReadAllText(Path.Join(_thole.Home, "access", "owner-token")).Trim();

    /// <summary>Completes when it has told its owner that.</summary>
    public Task TellsAsync(string text) => _process.Error.ContainsAsync(text, TestContext.Current.CancellationToken);

    /// <summary>Completes when it has ended by itself.</summary>
    public Task<Outcome> EndAsync() => _process.EndAsync();

    public static async Task<RunningDaemon> StartAsync(TholeProgram thole, params string[] flags)
    {
        var daemon = new RunningDaemon(thole, flags);
        await daemon.ListensAsync();
        return daemon;
    }

    public TholeClient Connect() => new(Address, Token);

    /// <summary>SIGKILL: it has no time to say anything.</summary>
    public async Task KillAsync()
    {
        await _process.SignalAsync("KILL");
        await _process.EndAsync();
        await _process.DisposeAsync();
    }

    /// <summary>On the same port.</summary>
    public async Task StartAgainAsync()
    {
        _process = _thole.Start(["serve", "--port", $"{Address.Port}", .. _flags]);
        await ListensAsync();
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task ListensAsync()
    {
        await _process.SaysAsync($"(workspace={_thole.Workspace})\n");
        var line = _process.Output.ToString().Split('\n').Single(line => line.StartsWith(Announcement, StringComparison.Ordinal));
        Address = new Uri(line[Announcement.Length..].Split(' ')[0]);
    }
}

/// <summary>What tests wait for in the events of a session.</summary>
internal static class SessionEvents
{
    /// <summary>All up to the first that fits, that one included.</summary>
    public static async Task<List<Envelope>> UntilAsync(
        this IAsyncEnumerable<Envelope> events,
        Func<SessionEvent, bool> fits,
        CancellationToken cancellationToken
    )
    {
        var read = new List<Envelope>();
        await foreach (var envelope in events.WithCancellation(cancellationToken))
        {
            read.Add(envelope);
            if (fits(envelope.Event))
            {
                return read;
            }
        }

        throw new InvalidOperationException($"The events ended before: {JsonSerializer.Serialize(read.Count)} came.");
    }
}

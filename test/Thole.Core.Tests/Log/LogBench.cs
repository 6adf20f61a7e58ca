using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>A folder of logs that goes when the test goes, and the short words that tests of logs share.</summary>
internal sealed class LogBench : IDisposable
{
    public static readonly SessionId Session = new("0f0e0d0c-0b0a-4908-8706-050403020100");

    private readonly string _root = Directory.CreateTempSubdirectory("thole-log-").FullName;

    public string Folder => Path.Join(_root, "sessions");

    public string Boot { get; set; } = "boot-1";

    public string File(string end = ".db") => Path.Join(Folder, Session.Value + end);

    public SqliteEventStore Store(IReadOnlyList<EventUpgrade>? upgrades = null)
    {
        var boot = Boot;
        return new SqliteEventStore(Folder, TimeProvider.System, () => boot, upgrades ?? EventUpgrades.All);
    }

    public static SessionOpened Opened(string workspace = "/code/space") =>
        new(Session, workspace, "local/model", ApprovalMode.Default, "0.1.0");

    public static TurnStarted Prompted(string text, int turn = 1) =>
        new(new TurnId($"turn-{turn}"), new PromptId($"prompt-{turn}"), [new TextContent(text)]);

    public static async Task AppendAsync(IEventLog log, params IReadOnlyList<SessionEvent> events)
    {
        Envelope[] batch =
        [
            .. events.Select(
                (happened, index) =>
                    new Envelope(log.Next + index, DateTimeOffset.UnixEpoch.AddSeconds(index), Actor.Model, happened)
            ),
        ];
        await log.AppendAsync(batch, durable: events is not [TextPiece, ..], TestContext.Current.CancellationToken);
    }

    public static async Task<List<Envelope>> AllAsync(IEventLog log, long after = 0)
    {
        var events = new List<Envelope>();
        await foreach (var envelope in log.ReadAsync(after, log.Latest, TestContext.Current.CancellationToken))
        {
            events.Add(envelope);
        }

        return events;
    }

    /// <summary>Opens the log as a session does: what was lost is told first.</summary>
    public async Task<IEventLog> OpenAsync()
    {
        var log = await Store().OpenAsync(Session, TestContext.Current.CancellationToken);
        if (log.Recovery is { } recovery)
        {
            await AppendAsync(log, recovery);
        }

        return log;
    }

    /// <summary>Leaves a log as kill -9 does: the files as they are, nothing said, nothing closed.</summary>
    public void CopyAsKilled(string target)
    {
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(Folder))
        {
            System.IO.File.WriteAllBytes(Path.Join(target, Path.GetFileName(file)), LogFolder.ReadUnlocked(file));
        }
    }

    /// <summary>The same folder after the process died and, where <paramref name="boot"/> is another, the machine with it.</summary>
    public LogBench Killed(string? boot = null)
    {
        var after = new LogBench { Boot = boot ?? Boot };
        CopyAsKilled(after.Folder);
        return after;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}

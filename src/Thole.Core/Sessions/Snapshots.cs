using System.Text.Json;
using Microsoft.Extensions.Logging;
using Thole.Core.Log;

namespace Thole.Core.Sessions;

/// <summary>Keeps opening cheap: the state is folded from the newest snapshot, whatever the length of the log.</summary>
internal sealed partial class Snapshots(IEventLog log, ILogger logger)
{
    private const int EventsBetween = 400;

    private readonly ILogger _logger = logger;
    private long _newest;

    public async Task<SessionState> LoadAsync(CancellationToken cancellationToken)
    {
        var state = SessionState.Empty;
        if (
            await log.ReadSnapshotAsync(cancellationToken) is { Version: SessionState.Version } snapshot
            && Read(snapshot) is { } kept
        )
        {
            state = kept;
            _newest = snapshot.Sequence;
        }

        await foreach (var envelope in log.ReadAsync(_newest, log.Latest, cancellationToken))
        {
            state = state.Apply(envelope);
        }

        return state;
    }

    /// <summary>Writes <paramref name="state"/>, which is that after the newest event, where the last snapshot is old.</summary>
    public async Task KeepAsync(SessionState state)
    {
        if (log.Latest - _newest < EventsBetween)
        {
            return;
        }

        try
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(state, CoreJson.Default.SessionState);
            await log.WriteSnapshotAsync(new Snapshot(log.Latest, SessionState.Version, bytes), CancellationToken.None);
            _newest = log.Latest;
        }
        catch (LogException exception)
        {
            // Without it the next opening reads more; of a full disk the next append will tell.
            LogNotWritten(exception);
        }
    }

    private SessionState? Read(Snapshot snapshot)
    {
        try
        {
            return JsonSerializer.Deserialize(snapshot.State.Span, CoreJson.Default.SessionState);
        }
        catch (JsonException exception)
        {
            // The log has all that it says: a shortcut that leads nowhere costs time.
            LogNotRead(exception);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "A snapshot was not read.")]
    private partial void LogNotRead(Exception exception);

    [LoggerMessage(LogLevel.Warning, "A snapshot was not written.")]
    private partial void LogNotWritten(Exception exception);
}

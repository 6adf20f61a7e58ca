using System.Globalization;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Probe;

/// <summary>
/// A writer of a log that waits to be killed: appends for ever and prints each number when it is acknowledged, so that
/// whoever kills it knows what must still be there.
/// </summary>
internal static class LogVerb
{
    /// <param name="isPowerCut">Only what survives the machine is printed, and an unclean stop is taken for one of the machine.</param>
    public static async Task<int> RunAsync(string folder, string session, bool isPowerCut)
    {
        var store = new SqliteEventStore(folder, TimeProvider.System, isPowerCut ? () => null : BootId.Read, EventUpgrades.All);
        var id = new SessionId(session);
        var exists = File.Exists(Path.Join(folder, $"{session}.db"));
        await using var log = exists ? await store.OpenAsync(id, CancellationToken.None) : store.Create(id);
        if (log.Latest == 0)
        {
            var opened = new SessionOpened(id, folder, "probe/model", ApprovalMode.Default, "0.1.0");
            await AppendAsync(opened, durable: true);
        }
        else if (log.Recovery is { } recovery)
        {
            await AppendAsync(recovery, durable: true);
        }

        for (var round = 0L; ; round++)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"number {log.Next}");
            SessionEvent happened = round % 3 == 0 ? new CompactionFailed(text) : new TextPiece(text);
            await AppendAsync(happened, durable: round % 3 == 0);
        }

        async Task AppendAsync(SessionEvent happened, bool durable)
        {
            await log.AppendAsync(
                [new(log.Next, DateTimeOffset.UnixEpoch, Actor.Runtime, happened)],
                durable,
                CancellationToken.None
            );
            if (durable || !isPowerCut)
            {
                await Console.Out.WriteLineAsync(log.Latest.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}

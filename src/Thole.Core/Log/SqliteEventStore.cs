using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Keeps each session in a SQLite file of its own, so that it can be copied, archived and deleted, and breaks alone.</summary>
public sealed class SqliteEventStore : IEventStore
{
    // Looking at all of a log that was not closed costs about 2 ms a megabyte; beyond this, only what opening reads is looked at.
    private const long WholeExamination = 8 << 20;

    private readonly LogFolder _folder;
    private readonly TimeProvider _time;
    private readonly Lazy<string?> _boot;
    private readonly EventCodec _codec;

    /// <param name="folder">Made where it is missing, for this user alone.</param>
    /// <param name="time">Dates what a salvage has to say.</param>
    /// <param name="bootId">Usually <see cref="BootId.Read"/>.</param>
    /// <param name="upgrades">Usually <see cref="EventUpgrades.All"/>.</param>
    public SqliteEventStore(string folder, TimeProvider time, Func<string?> bootId, IReadOnlyList<EventUpgrade> upgrades)
    {
        _folder = new LogFolder(Path.GetFullPath(folder));
        _time = time;
        _boot = new Lazy<string?>(bootId);
        _codec = new EventCodec(upgrades);
    }

    public bool Exists(SessionId session) => _folder.Exists(session);

    public IEventLog Create(SessionId session) => new SqliteEventLog(_folder, session, _codec, _boot);

    public ValueTask<IEventLog> OpenAsync(SessionId session, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_folder.Exists(session))
        {
            throw LogErrors.NotFound(session);
        }

        return ValueTask.FromResult<IEventLog>(LogErrors.Translate(_folder.Log(session), () => Open(session)));
    }

    private SqliteEventLog Open(SessionId session)
    {
        var lease = SessionLease.TryTake(_folder.Lease(session)) ?? throw LogErrors.InUse(session);
        try
        {
            LogSalvage.FinishSwap(_folder, session);
            var file = TryOpen(session, lease);
            if (file is null)
            {
                new LogSalvage(_folder, session, _time, lease.Mark).Run();
                file = TryOpen(session, lease) ?? throw LogErrors.Hopeless(_folder.Log(session), session);
            }

            lease.Trust();

            return new SqliteEventLog(_folder, session, _codec, _boot, lease, file);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Null where the file is not, all of it that opening reads, what was written.</summary>
    private LogFile? TryOpen(SessionId session, SessionLease lease)
    {
        LogFile? file = null;
        try
        {
            file = LogFile.Open(_folder.Log(session), forWriting: true);
            if (file.IsEmpty && lease.Mark == 0)
            {
                throw LogErrors.NotFound(session);
            }

            if (IsIntact(file, lease))
            {
                return file;
            }
        }
        catch (DatabaseException damaged) when (damaged.IsCorrupt) { }
        catch
        {
            file?.Dispose();
            throw;
        }

        file?.Dispose();
        return null;
    }

    private static bool IsIntact(LogFile file, SessionLease lease)
    {
        var last = file.Last();
        if (last is null)
        {
            return false;
        }

        var lookAtAll =
            lease.IsSuspect
            || (file.Meta(SqliteEventLog.Clean) is not "1" && new FileInfo(file.Path).Length <= WholeExamination)
            || file.Snapshot() is not { } snapshot
            || snapshot.Sequence > last.Number;
        var from = lookAtAll ? 0 : Math.Min(file.Snapshot()!.Sequence, Math.Max(0, last.Number - 1));
        return new ChainReader(file).IsIntact(from, last.Number);
    }
}

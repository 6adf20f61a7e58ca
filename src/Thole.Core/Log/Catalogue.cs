using System.Runtime.CompilerServices;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>
/// Answers questions about sessions from an index beside the logs. The index is derived: what changed since is read when somebody asks,
/// and a deleted or broken index is made anew.
/// </summary>
public sealed class Catalogue : ICatalog, IDisposable
{
    private readonly Lock _lock = new();
    private readonly LogFolder _folder;
    private readonly EventCodec _codec = new(EventUpgrades.All);
    private CatalogueIndex? _index;

    /// <param name="folder">Where the logs are; need not exist.</param>
    public Catalogue(string folder) => _folder = new LogFolder(Path.GetFullPath(folder));

    public ValueTask<IReadOnlyList<SessionSummary>> ListAsync(
        string? workspace,
        int limit,
        CancellationToken cancellationToken
    ) =>
        Ask(index =>
        {
            Refresh(index, LogStamp.All(_folder), isAll: true, cancellationToken);
            return index.List(workspace, limit);
        });

    public ValueTask<SessionSummary?> FindAsync(string idOrPrefix, CancellationToken cancellationToken)
    {
        if (!LogFolder.IsValid(new SessionId(idOrPrefix)))
        {
            return ValueTask.FromResult<SessionSummary?>(null);
        }

        return Ask(index =>
        {
            var found = LogStamp.All(_folder, idOrPrefix);
            Refresh(index, found, isAll: false, cancellationToken);
            IReadOnlyList<SessionSummary> sessions = [.. found.Keys.Select(index.Find).OfType<SessionSummary>()];
            return sessions.FirstOrDefault(session => string.Equals(session.Id.Value, idOrPrefix, StringComparison.Ordinal))
                ?? sessions switch
                {
                    [] => null,
                    [var only] => only,
                    _ => throw new RefusedException(
                        "session_ambiguous",
                        $"{sessions.Count} sessions begin with '{idOrPrefix}': give more of the id."
                    ),
                };
        });
    }

    public ValueTask<IReadOnlyList<SearchHit>> SearchAsync(string words, int limit, CancellationToken cancellationToken) =>
        Ask(index =>
        {
            Refresh(index, LogStamp.All(_folder), isAll: true, cancellationToken);
            return index.Search(words, limit);
        });

    public async IAsyncEnumerable<Envelope> ReadAsync(
        SessionId session,
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var file = Open(session);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = LogErrors.Translate(file.Path, () => new ChainReader(file).Page(after, long.MaxValue));
            if (rows is [])
            {
                break;
            }

            foreach (var row in rows)
            {
                yield return _codec.Decode(row);
            }

            after = rows[^1].Number;
        }

        await ValueTask.CompletedTask;
    }

    public async ValueTask<byte[]?> ReadBlobAsync(SessionId session, BlobId blob, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await ValueTask.CompletedTask;
        using var file = Open(session);
        var content = LogErrors.Translate(file.Path, () => file.Blob(blob));
        return content is null || LogFile.Matches(blob, content) ? content : throw LogErrors.DamagedBlob(file.Path, blob);
    }

    public ValueTask<VerifyReport> VerifyAsync(SessionId session, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_folder.Exists(session))
        {
            throw LogErrors.NotFound(session);
        }

        var mark = SessionLease.ReadMark(_folder.Lease(session));
        try
        {
            using var file = LogFile.Open(_folder.Log(session), forWriting: false);
            return ValueTask.FromResult(new LogVerification(file, session, mark).Run());
        }
        catch (DatabaseException damaged)
        {
            return ValueTask.FromResult(new VerifyReport(session, 0, 0, null, [$"the file cannot be read: {damaged.Message}"]));
        }
    }

    public ValueTask DeleteAsync(SessionId session, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var files = _folder.Files(session);
        if (files is [])
        {
            throw LogErrors.NotFound(session);
        }

        LogErrors.Translate(
            _folder.Log(session),
            () =>
            {
                using var lease = SessionLease.TryTake(_folder.Lease(session)) ?? throw LogErrors.InUse(session);

                // The log first and the lease last: what a crash leaves over is no session any more, and nobody writes meanwhile.
                foreach (var file in files.Except([_folder.Lease(session)], StringComparer.Ordinal).OrderBy(file => file.Length))
                {
                    File.Delete(file);
                }

                File.Delete(_folder.Lease(session));
                _folder.Sync();
                return true;
            }
        );
        return Forget(session);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _index?.Dispose();
            _index = null;
        }
    }

    private ValueTask Forget(SessionId session) =>
        new(
            Ask(index =>
                {
                    index.Forget(session.Value);
                    return true;
                })
                .AsTask()
        );

    private LogFile Open(SessionId session)
    {
        if (!_folder.Exists(session))
        {
            throw LogErrors.NotFound(session);
        }

        return LogErrors.Translate(_folder.Log(session), () => LogFile.Open(_folder.Log(session), forWriting: false));
    }

    /// <summary>An index that fails is thrown away once; one that fails again (no space, no right to write) is kept in memory.</summary>
    private ValueTask<T> Ask<T>(Func<CatalogueIndex, T> question)
    {
        lock (_lock)
        {
            try
            {
                return ValueTask.FromResult(question(_index ??= CatalogueIndex.Open(_folder)));
            }
            catch (Exception broken) when (broken is DatabaseException or IOException or UnauthorizedAccessException)
            {
                _index?.Dispose();
                _index = CatalogueIndex.OpenAnew(_folder, broken);
                return ValueTask.FromResult(question(_index));
            }
        }
    }

    private void Refresh(
        CatalogueIndex index,
        Dictionary<string, LogStamp> found,
        bool isAll,
        CancellationToken cancellationToken
    )
    {
        var known = index.Stamps();
        var changed = found.Where(log => !known.TryGetValue(log.Key, out var stamp) || stamp != log.Value).ToList();
        var gone = isAll ? known.Keys.Where(id => !found.ContainsKey(id)).ToList() : [];
        if (changed is [] && gone is [])
        {
            return;
        }

        index.Write(() =>
        {
            foreach (var (id, stamp) in changed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                new CatalogueReading(index, _codec, _folder.Log(new SessionId(id)), id).Run(stamp);
            }

            foreach (var id in gone)
            {
                index.Forget(id);
            }
        });
    }
}

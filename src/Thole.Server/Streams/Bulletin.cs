using System.Diagnostics.CodeAnalysis;
using Thole.Protocol;

namespace Thole.Server.Streams;

/// <summary>
/// News of the workspace, each behind the one before. A reader holds the last one that it was told and goes on from there: nothing queues
/// for it, what all have been told is forgotten by itself, and who reads nothing keeps what came since for no longer than it is let read.
/// </summary>
internal sealed class Bulletin(TimeProvider time)
{
    private readonly Lock _lock = new();
    private Notice _latest = new(News: null, default, Originator: null);

    /// <summary>What comes after this one has not been said yet.</summary>
    public Notice Latest
    {
        get
        {
            lock (_lock)
            {
                return _latest;
            }
        }
    }

    /// <param name="originator">The client that caused it, where it has a name.</param>
    public void Post(WorkspaceNews news, string? originator)
    {
        lock (_lock)
        {
            var before = _latest;
            _latest = new Notice(news, time.GetUtcNow(), originator);
            before.Follow(_latest);
        }
    }
}

/// <summary>One piece of news, and the way to the next.</summary>
internal sealed record Notice(WorkspaceNews? News, DateTimeOffset At, string? Originator)
{
    private readonly TaskCompletionSource<Notice> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<Notice> Next => _next.Task;

    public void Follow(Notice next) => _next.SetResult(next);
}

/// <summary>One reader's place in the news: what was said before it came is not for it.</summary>
internal sealed class NewsReader(Bulletin bulletin) : IDisposable
{
    private readonly CancellationTokenSource _left = new();
    private Notice _told = bulletin.Latest;
    private Task? _coming;

    /// <summary>Completes when there is more. A task for each reader: to stop waiting for one that all wait for takes longer the more they are.</summary>
    public Task Coming => _coming ??= _told.Next.WaitAsync(_left.Token);

    public bool TryRead([NotNullWhen(true)] out Notice? notice)
    {
        notice = _told.Next is { IsCompletedSuccessfully: true, Result: var next } ? next : null;
        if (notice is null)
        {
            return false;
        }

        (_told, _coming) = (notice, null);
        return true;
    }

    public void Dispose()
    {
        _left.Cancel();
        _left.Dispose();
    }
}

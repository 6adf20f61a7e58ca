using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// Walks a tree with one worker a processor and yields what is found in it. Directories and batches of files wait on a stack,
/// the newest first, so that a deep tree holds few of them; ignored directories are never entered.
/// </summary>
internal abstract class FileWalker<T>(FileTree tree, IgnoreRules rules, byte[] rulesPath, byte[] start, SearchTally tally)
    : IDisposable
{
    private const int BatchSize = 64;

    private readonly Lock _lock = new();
    private readonly Stack<Work> _waiting = [];
    private readonly SemaphoreSlim _available = new(0);

    /// <summary>Waiting or being worked on; at 0 the walk is over.</summary>
    private int _open;

    protected FileTree Tree => tree;

    protected SearchTally Tally => tally;

    /// <summary>Also what git ignores.</summary>
    public bool IncludeIgnored { get; init; }

    public int MaxDepth { get; init; } = int.MaxValue;

    public async IAsyncEnumerable<T> RunAsync(bool isFile, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var results = Channel.CreateBounded<List<T>>(new BoundedChannelOptions(64) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Push(isFile ? new Work([], rules, 0, [start]) : new Work(start, rules, 0, null));
        var workers = RunWorkersAsync(results.Writer, stop);
        try
        {
            await foreach (var batch in results.Reader.ReadAllAsync(cancellationToken))
            {
                foreach (var found in batch)
                {
                    yield return found;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await workers;
        }
    }

    public void Dispose() => _available.Dispose();

    /// <summary>Called for each entry that is not ignored, while its directory is open.</summary>
    /// <param name="path">Relative to the tree.</param>
    /// <param name="below">Relative to the start of the walk.</param>
    /// <returns>Whether the file is to be visited again through <see cref="VisitFile"/>, by any worker.</returns>
    protected abstract bool VisitEntry(
        OpenDirectory directory,
        ReadOnlySpan<byte> path,
        ReadOnlySpan<byte> below,
        FileKind kind,
        List<T> results
    );

    protected abstract void VisitFile(byte[] path, List<T> results, CancellationToken cancellationToken);

    private async Task RunWorkersAsync(ChannelWriter<List<T>> results, CancellationTokenSource stop)
    {
        try
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, Environment.ProcessorCount)
                    .Select(_ => Task.Run(() => WorkAsync(results, stop), CancellationToken.None))
            );
            results.Complete();
        }
        catch (Exception failure)
        {
            // Handed to the reader of the results, which is where a defect or an interrupt belongs.
            results.Complete(failure);
        }
    }

    private async Task WorkAsync(ChannelWriter<List<T>> results, CancellationTokenSource stop)
    {
        try
        {
            while (await TakeAsync(stop.Token) is { } work)
            {
                var found = new List<T>();
                if (work.Files is { } files)
                {
                    foreach (var file in files)
                    {
                        stop.Token.ThrowIfCancellationRequested();
                        VisitFile(file, found, stop.Token);
                    }
                }
                else
                {
                    ReadDirectory(work, found, stop.Token);
                }

                if (found.Count > 0)
                {
                    await results.WriteAsync(found, stop.Token);
                }

                Finish();
            }
        }
        catch
        {
            // The others wait for work that this one will never finish.
            await stop.CancelAsync();
            throw;
        }
    }

    private void ReadDirectory(Work work, List<T> results, CancellationToken cancellationToken)
    {
        using var directory = tree.OpenDirectory(work.Directory, followLink: work.Depth == 0);
        if (directory is null)
        {
            tally.AddUnreadable();
            return;
        }

        // The rules of the start are loaded with the parents' before the walk.
        var here =
            work.Depth > 0 && directory.MayHoldIgnoreFiles
                ? work.Rules.Enter(tree, work.Directory, RulesPath(work.Directory))
                : work.Rules;
        var path = new PathBuffer(work.Directory);
        var rulesPathOfEntry = new PathBuffer(RulesPath(work.Directory));
        var skip = start.Length == 0 ? 0 : start.Length + 1;
        List<byte[]> files = [];
        while (directory.Next(out var name, out var kind))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isDirectory = kind is FileKind.Directory;
            if (kind is FileKind.Other || here.IsGitFolder(name))
            {
                continue;
            }

            if (here.IsIgnored(rulesPathOfEntry.With(name), isDirectory, agentOnly: IncludeIgnored))
            {
                tally.AddIgnored();
                continue;
            }

            var full = path.With(name);
            if (VisitEntry(directory, full, full[skip..], kind, results))
            {
                files.Add(full.ToArray());
                if (files.Count == BatchSize)
                {
                    Share(files, results, cancellationToken);
                    files = [];
                }
            }

            if (isDirectory && work.Depth + 1 < MaxDepth)
            {
                Push(new Work(full.ToArray(), here, work.Depth + 1, null));
            }
        }

        foreach (var file in files)
        {
            VisitFile(file, results, cancellationToken);
        }
    }

    /// <summary>Gives files to whoever is idle; where enough waits already they are visited here, so that a huge directory is never held as a whole.</summary>
    private void Share(List<byte[]> files, List<T> results, CancellationToken cancellationToken)
    {
        bool isCrowded;
        lock (_lock)
        {
            isCrowded = _waiting.Count > 4 * Environment.ProcessorCount;
        }

        if (!isCrowded)
        {
            Push(new Work([], rules, 0, files));
            return;
        }

        foreach (var file in files)
        {
            VisitFile(file, results, cancellationToken);
        }
    }

    private ReadOnlySpan<byte> RulesPath(ReadOnlySpan<byte> directory) =>
        directory.Length == start.Length ? rulesPath
        : rulesPath.Length == 0 ? directory[(start.Length == 0 ? 0 : start.Length + 1)..]
        : FileTree.Join(rulesPath, directory[(start.Length == 0 ? 0 : start.Length + 1)..]);

    private void Push(Work work)
    {
        lock (_lock)
        {
            _open++;
            _waiting.Push(work);
        }

        _available.Release();
    }

    private async ValueTask<Work?> TakeAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        lock (_lock)
        {
            return _waiting.TryPop(out var work) ? work : null;
        }
    }

    private void Finish()
    {
        lock (_lock)
        {
            if (--_open > 0)
            {
                return;
            }
        }

        _available.Release(Environment.ProcessorCount);
    }

    /// <param name="Files">Paths to visit; null where <paramref name="Directory"/> is to be read.</param>
    private sealed record Work(byte[] Directory, IgnoreRules Rules, int Depth, List<byte[]>? Files);

    /// <summary>A directory's path with room for the name of one entry after the other.</summary>
    private sealed class PathBuffer
    {
        private readonly int _prefix;
        private byte[] _bytes;

        public PathBuffer(ReadOnlySpan<byte> directory)
        {
            _bytes = new byte[directory.Length + 64];
            directory.CopyTo(_bytes);
            _prefix = directory.Length;
            if (_prefix > 0)
            {
                _bytes[_prefix++] = (byte)'/';
            }
        }

        public ReadOnlySpan<byte> With(ReadOnlySpan<byte> name)
        {
            if (_bytes.Length < _prefix + name.Length)
            {
                Array.Resize(ref _bytes, _prefix + name.Length + 64);
            }

            name.CopyTo(_bytes.AsSpan(_prefix));
            return _bytes.AsSpan(0, _prefix + name.Length);
        }
    }
}

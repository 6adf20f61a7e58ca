namespace Thole.Core.Workspaces;

/// <summary>A file or folder that somebody is about to read or write; <c>*</c> for what cannot be known.</summary>
public readonly record struct GateKey(string Path, bool IsWrite)
{
    private static readonly StringComparison s_comparison = OperatingSystem.IsLinux()
        ? StringComparison.Ordinal
        : StringComparison.OrdinalIgnoreCase;

    /// <summary>A folder conflicts with what lies beneath it: a search sees the file that an edit writes.</summary>
    public bool ConflictsWith(GateKey other) =>
        (IsWrite || other.IsWrite)
        && (Path is "*" || other.Path is "*" || Contains(Path, other.Path) || Contains(other.Path, Path));

    private static bool Contains(string outer, string inner) =>
        inner.StartsWith(outer, s_comparison)
        && (inner.Length == outer.Length || outer.EndsWith('/') || inner[outer.Length] is '/' or '\\');
}

/// <summary>
/// Lets the sessions of a runtime into the same files one after another: readers together, a writer alone, first come first served.
/// All that a call needs is granted at once, so that no two can wait for each other; nothing is kept of a path nobody uses.
/// </summary>
public sealed class FileGate
{
    private readonly Lock _lock = new();

    // In the order they came: those inside and those waiting.
    private readonly LinkedList<Pass> _passes = new();

    /// <summary>How many are inside or waiting.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _passes.Count;
            }
        }
    }

    /// <summary>Returns once nobody inside, and nobody who came earlier, conflicts. Disposing leaves.</summary>
    public async ValueTask<IDisposable> EnterAsync(IReadOnlyList<GateKey> keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var pass = new Pass(this, keys);
        lock (_lock)
        {
            pass.Place = _passes.AddLast(pass);
            Admit();
        }

        await using var registration = cancellationToken.Register(() =>
        {
            if (pass.Entered.TrySetCanceled(cancellationToken))
            {
                Leave(pass);
            }
        });
        await pass.Entered.Task;
        return pass;
    }

    private void Leave(Pass pass)
    {
        lock (_lock)
        {
            if (pass.Place is { } place)
            {
                _passes.Remove(place);
                pass.Place = null;
                Admit();
            }
        }
    }

    // A pass goes in when it conflicts with nothing ahead of it, inside or waiting: nobody is overtaken by whom they would have to wait for.
    private void Admit()
    {
        for (var node = _passes.First; node is not null; node = node.Next)
        {
            if (!node.Value.Entered.Task.IsCompleted && !IsBlocked(node))
            {
                node.Value.Entered.TrySetResult();
            }
        }
    }

    private static bool IsBlocked(LinkedListNode<Pass> node)
    {
        for (var ahead = node.Previous; ahead is not null; ahead = ahead.Previous)
        {
            foreach (var mine in node.Value.Keys)
            {
                foreach (var theirs in ahead.Value.Keys)
                {
                    if (mine.ConflictsWith(theirs))
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    private sealed class Pass(FileGate gate, IReadOnlyList<GateKey> keys) : IDisposable
    {
        public IReadOnlyList<GateKey> Keys { get; } = keys;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Pass>? Place { get; set; }

        public void Dispose() => gate.Leave(this);
    }
}

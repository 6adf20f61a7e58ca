using System.Text;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// The files of one workspace for clients that are no session: the same fence, the same writer, the same gate. Only what lies
/// beneath the root itself; folders that the user included for tools are none of a client's business.
/// </summary>
public sealed partial class WorkspaceFiles : IWorkspaceFiles
{
    private const string HashPrefix = "sha256:";

    private readonly IWorkspace _workspace;
    private readonly ISearcher _search;
    private readonly FileGate _gate;
    private readonly TimeProvider _time;
    private readonly string? _userFolder;
    private readonly ClientRefusals _refusals;

    /// <param name="gate">The one of the runtime: a session's edit and a client's write of one file follow each other.</param>
    /// <param name="userFolder">Where the user's own instructions lie; null where they have no place.</param>
    public WorkspaceFiles(IWorkspace workspace, ISearcher search, FileGate gate, TimeProvider time, string? userFolder = null)
    {
        (_workspace, _search, _gate, _time, _userFolder) = (workspace, search, gate, time, userFolder);
        _refusals = new ClientRefusals([workspace.Root, Workspace.RealPath(workspace.Root), userFolder ?? ""]);
    }

    public ValueTask<FileText> ReadTextAsync(string path, TextWindow window, CancellationToken cancellationToken)
    {
        Demand(window.MaxBytes, 1, FileLimits.MaxReadBytes, "maxBytes");
        Demand(window.Line, 1, int.MaxValue, "line");
        Demand(window.Limit ?? 1, 1, FileLimits.MaxLines, "limit");
        return AskAsync(
            path,
            async place =>
            {
                Require(place, FileLimits.MaxTextBytes, "read it in windows of bytes");
                var bytes = await _workspace.ReadAsync(place, FileLimits.MaxTextBytes, cancellationToken);
                var file = Decode(place, bytes);
                var slice = TextSlice.Cut(file, window);
                return new FileText(
                    place.Shown,
                    slice.Content,
                    file.EncodingName,
                    file.HasMark,
                    EndingOf(file),
                    bytes.Length,
                    Encoding.UTF8.GetByteCount(slice.Content),
                    Truncated: slice.HasMore,
                    HashPrefix + file.Hash,
                    Ignored(place),
                    file.Raw.AsSpan().Count('\n') + 1,
                    slice.NextCursor,
                    slice.HasMore
                );
            }
        );
    }

    public ValueTask<FileBytes> ReadBytesAsync(string path, long offset, int maxBytes, CancellationToken cancellationToken)
    {
        Demand(offset, 0, long.MaxValue, "offset");
        Demand(maxBytes, 1, FileLimits.MaxReadBytes, "maxBytes");
        return AskAsync(
            path,
            async place =>
            {
                Require(place, long.MaxValue, "");
                await using var stream = _workspace.OpenRead(place);
                var size = stream.Length;
                var buffer = new byte[Math.Min(maxBytes, Math.Max(0, size - offset))];
                stream.Position = Math.Min(offset, size);
                var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
                var isWhole = offset == 0 && read == size;
                return new FileBytes(
                    place.Shown,
                    offset,
                    size,
                    read,
                    Truncated: !isWhole,
                    buffer.AsMemory(0, read),
                    isWhole ? HashPrefix + TextFile.HashOf(buffer.AsSpan(0, read)) : null
                );
            }
        );
    }

    public ValueTask<FileStat> StatAsync(string path, CancellationToken cancellationToken) =>
        AskAsync(
            path,
            place =>
            {
                var state = _workspace.Stat(place) ?? throw NotFound(place);
                return ValueTask.FromResult(
                    new FileStat(place.Shown, KindOf(state.Kind), state.Length, state.ModifiedAt.ToUnixTimeMilliseconds())
                );
            }
        );

    public ValueTask<FolderListing> ListAsync(string path, bool includeIgnored, CancellationToken cancellationToken) =>
        AskAsync(
            path,
            place =>
            {
                var found = _workspace.List(place);
                cancellationToken.ThrowIfCancellationRequested();
                using var rules = IgnoreLookup.Open(_workspace.Root);
                var judge = rules.Inside(place);
                var matched = rules.Judge(place, isDirectory: true);

                // Whoever asks for an ignored folder by its name wants to see what is in it.
                FolderEntry[] entries =
                [
                    .. found
                        .OrderBy(static entry => entry.Name, StringComparer.Ordinal)
                        .Select(entry => new FolderEntry(entry.Name, KindOf(entry.Kind), judge(entry)))
                        .Where(entry => includeIgnored || matched is not null || !entry.Ignored)
                        .Take(FileLimits.MaxEntries + 1),
                ];
                return ValueTask.FromResult(
                    new FolderListing(
                        place.Shown,
                        entries.Length > FileLimits.MaxEntries ? entries[..FileLimits.MaxEntries] : entries,
                        entries.Length > FileLimits.MaxEntries,
                        matched
                    )
                );
            }
        );

    public ValueTask<GlobMatches> GlobAsync(GlobQuery query, CancellationToken cancellationToken)
    {
        Demand(query.MaxResults, 1, FileLimits.MaxMatches, "maxResults");
        if (query.Pattern.StartsWith('/') || query.Pattern.Split('/', '\\').Contains("..", StringComparer.Ordinal))
        {
            throw new RefusedException(
                FileRefusals.ParseError,
                "The pattern must be relative to its folder and may not go up: use for example src/**/*.cs."
            );
        }

        var started = _time.GetTimestamp();
        return AskAsync(
            query.Cwd,
            async place =>
            {
                List<string> matches = [];
                await foreach (
                    var found in _search.FindAsync(new FileQuery(place, query.Pattern, query.IncludeIgnored), cancellationToken)
                )
                {
                    matches.Add(found.Path.Relative);
                    if (matches.Count > query.MaxResults)
                    {
                        break;
                    }
                }

                var isCut = matches.Count > query.MaxResults;
                string[] told = [.. matches.Take(query.MaxResults).Order(StringComparer.Ordinal)];
                var duration = (long)_time.GetElapsedTime(started).TotalMilliseconds;
                return new GlobMatches(query.Pattern, place.Shown, told, told.Length, isCut, duration);
            }
        );
    }

    private ValueTask<T> AskAsync<T>(string path, Func<WorkspacePath, ValueTask<T>> ask)
    {
        var place = Resolve(path);
        return RefusingAsync(place.ToString(), () => ask(place));
    }

    private async ValueTask<T> RefusingAsync<T>(string shown, Func<ValueTask<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (WorkspaceException refused)
        {
            throw _refusals.Of(refused);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            // What the runtime says of it may name the full path.
            throw new RefusedException(
                FileRefusals.IoError,
                $"The disk did not give {shown}: try again, then check the disk.",
                broken
            );
        }
    }

    private WorkspacePath Resolve(string path)
    {
        try
        {
            var place = _workspace.Resolve(path);
            return place.IsIncluded ? throw new WorkspaceException(ToolErrors.OutsideWorkspace, "") : place;
        }
        catch (WorkspaceException refused)
        {
            throw _refusals.OfPath(refused);
        }
    }

    private void Require(WorkspacePath place, long limit, string cure)
    {
        var (word, message) = _workspace.Stat(place) switch
        {
            null => throw NotFound(place),
            { Kind: FileKind.Directory } => (
                FileRefusals.InvalidArgument,
                $"{place} is a folder: list it, or name a file in it."
            ),
            { Kind: not FileKind.File } => (
                FileRefusals.InvalidArgument,
                $"{place} is a device, socket or pipe: only regular files are opened."
            ),
            { Length: var length } when length > limit => (
                FileRefusals.TooLarge,
                $"{place} has {length} bytes, more than the {limit} that are taken whole: {cure}."
            ),
            _ => default,
        };
        if (word is not null)
        {
            throw new RefusedException(word, message);
        }
    }

    private static TextFile Decode(WorkspacePath place, byte[] bytes) =>
        TextFile.Decode(bytes)
        ?? throw new RefusedException(FileRefusals.Binary, $"{place} is a binary file, not text: read it in windows of bytes.");

    private MatchedIgnore? Ignored(WorkspacePath place)
    {
        using var rules = IgnoreLookup.Open(_workspace.Root);
        return rules.Judge(place, isDirectory: false);
    }

    private static RefusedException NotFound(WorkspacePath place) =>
        new(FileRefusals.NotFound, $"There is no {place}: list the folder it should be in.");

    private static void Demand(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new RefusedException(FileRefusals.ParseError, $"{name} must be a whole number from {least} to {most}.");
        }
    }

    private static LineEnding EndingOf(TextFile file) => file.NewLine is "\r\n" ? LineEnding.Crlf : LineEnding.Lf;

    private static EntryKind KindOf(FileKind kind) =>
        kind switch
        {
            FileKind.File => EntryKind.File,
            FileKind.Directory => EntryKind.Directory,
            FileKind.Link => EntryKind.Symlink,
            _ => EntryKind.Other,
        };
}

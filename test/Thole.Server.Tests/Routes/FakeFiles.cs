using Thole.Protocol;

namespace Thole.Server.Tests.Routes;

/// <summary>Answers every question about files with what a test wants, and remembers what was asked.</summary>
internal sealed class FakeFiles : IWorkspaceFiles
{
    /// <summary>Where set, what every question is refused with.</summary>
    public RefusedException? Refusal { get; set; }

    public List<object> Asked { get; } = [];

    public InitAction Init { get; set; } = InitAction.Created;

    /// <summary>How many bytes are written down; 0 where they are there already.</summary>
    public int Remembered { get; set; } = 7;

    public ValueTask<FileText> ReadTextAsync(string path, TextWindow window, CancellationToken cancellationToken) =>
        Answer(
            (path, window),
            new FileText(
                path,
                "a\r\n",
                "utf-8",
                Bom: true,
                LineEnding.Crlf,
                6,
                3,
                Truncated: false,
                "sha256:00",
                null,
                2,
                null,
                HasMore: false
            )
        );

    public ValueTask<FileBytes> ReadBytesAsync(string path, long offset, int maxBytes, CancellationToken cancellationToken) =>
        Answer((path, offset, maxBytes), new FileBytes(path, offset, 9, 3, Truncated: true, "abc"u8.ToArray(), Hash: null));

    public ValueTask<FileStat> StatAsync(string path, CancellationToken cancellationToken) =>
        Answer(path, new FileStat(path, EntryKind.Directory, 4096, 1_700_000_000_000));

    public ValueTask<FolderListing> ListAsync(string path, bool includeIgnored, CancellationToken cancellationToken) =>
        Answer(
            (path, includeIgnored),
            new FolderListing(
                path,
                [new FolderEntry("a", EntryKind.Symlink, Ignored: true)],
                Truncated: false,
                MatchedIgnore.Directory
            )
        );

    public ValueTask<GlobMatches> GlobAsync(GlobQuery query, CancellationToken cancellationToken) =>
        Answer(query, new GlobMatches(query.Pattern, query.Cwd, ["a"], 1, Truncated: false, 5));

    public ValueTask<FileWritten> WriteAsync(FileWrite request, CancellationToken cancellationToken) =>
        Answer(
            request,
            new FileWritten(
                request.Path,
                request.Mode,
                request.Mode is FileWriteMode.Create,
                1,
                "sha256:00",
                "utf-8",
                Bom: false,
                LineEnding.Lf,
                MatchedIgnore.File
            )
        );

    public ValueTask<FileEdited> EditAsync(FileEdit request, CancellationToken cancellationToken) =>
        Answer(request, new FileEdited(request.Path, 1, 1, "sha256:00", "utf-8", Bom: false, LineEnding.Lf, null));

    public ValueTask<WorkspaceInit> InitAsync(bool force, CancellationToken cancellationToken) =>
        Answer(force, new WorkspaceInit("AGENTS.md", Init, Init is InitAction.Conflict ? 12 : null));

    public ValueTask<MemoryWritten> RememberAsync(MemoryWrite request, CancellationToken cancellationToken) =>
        Answer(request, new MemoryWritten(Ok: true, "AGENTS.md", Remembered, request.Mode, Remembered > 0, "sha256:00"));

    private ValueTask<T> Answer<T>(object question, T answer)
    {
        Asked.Add(question);
        return Refusal is null ? ValueTask.FromResult(answer) : throw Refusal;
    }
}

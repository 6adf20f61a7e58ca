namespace Thole.Protocol;

/// <summary>
/// What a client asks about the files of a workspace, and the changes it may make. Paths go in as a person writes them and come
/// out relative to the workspace, with <c>/</c>. All methods throw <see cref="RefusedException"/> with a word of
/// <see cref="FileRefusals"/>; its sentence names the cure and no path of this machine.
/// </summary>
public interface IWorkspaceFiles
{
    /// <summary>A window of a text file.</summary>
    ValueTask<FileText> ReadTextAsync(string path, TextWindow window, CancellationToken cancellationToken);

    /// <summary>A window of any file, whatever it holds.</summary>
    ValueTask<FileBytes> ReadBytesAsync(string path, long offset, int maxBytes, CancellationToken cancellationToken);

    ValueTask<FileStat> StatAsync(string path, CancellationToken cancellationToken);

    /// <summary>What one folder holds, by name.</summary>
    ValueTask<FolderListing> ListAsync(string path, bool includeIgnored, CancellationToken cancellationToken);

    /// <summary>Files and folders whose paths match a pattern, by name.</summary>
    ValueTask<GlobMatches> GlobAsync(GlobQuery query, CancellationToken cancellationToken);

    /// <summary>Makes a file, or replaces one whose content the client names by its hash.</summary>
    ValueTask<FileWritten> WriteAsync(FileWrite request, CancellationToken cancellationToken);

    /// <summary>Replaces the one place in a file where a text occurs.</summary>
    ValueTask<FileEdited> EditAsync(FileEdit request, CancellationToken cancellationToken);

    /// <summary>Makes <c>AGENTS.md</c> at the root; replaces one that says something only where <paramref name="force"/> says so.</summary>
    ValueTask<WorkspaceInit> InitAsync(bool force, CancellationToken cancellationToken);

    /// <summary>Writes something down for agents, in the <c>AGENTS.md</c> of the workspace or of the user; makes the file where there is none.</summary>
    ValueTask<MemoryWritten> RememberAsync(MemoryWrite request, CancellationToken cancellationToken);
}

/// <summary>The stable words for what a client cannot have; doors turn them into statuses.</summary>
public static class FileRefusals
{
    public const string OutsideWorkspace = "path_outside_workspace";
    public const string SymlinkEscape = "symlink_escape";
    public const string NotFound = "path_not_found";
    public const string Binary = "binary_file";
    public const string TooLarge = "file_too_large";
    public const string HashMismatch = "hash_mismatch";
    public const string AlreadyExists = "file_already_exists";
    public const string TextNotFound = "text_not_found";
    public const string AmbiguousText = "ambiguous_text_match";
    public const string PermissionDenied = "permission_denied";
    public const string IoError = "io_error";

    /// <summary>What was sent cannot be understood: a number out of its range, a hash of another form, half a character.</summary>
    public const string ParseError = "parse_error";

    /// <summary>What was sent is understood and is the wrong thing: a folder where a file is meant, a device.</summary>
    public const string InvalidArgument = "invalid_argument";
}

/// <summary>How much is read, written and listed at once.</summary>
public static class FileLimits
{
    /// <summary>Of one answer.</summary>
    public const int MaxReadBytes = 256 * 1024;

    public const int DefaultWindowBytes = 64 * 1024;

    /// <summary>A longer file is read as bytes: its lines cannot be counted in passing.</summary>
    public const int MaxTextBytes = 8 * 1024 * 1024;

    public const int MaxLines = 2000;
    public const int MaxWriteBytes = 5 * 1024 * 1024;

    /// <summary>A longer instruction file is read by no session.</summary>
    public const int MaxMemoryBytes = 256 * 1024;

    public const int MaxEntries = 2000;
    public const int DefaultMatches = 5000;
    public const int MaxMatches = 50_000;
}

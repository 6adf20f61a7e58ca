using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Editing;

/// <summary>
/// One text file on its way from one state to the next: read, changed, written on the condition that nobody else changed it
/// meanwhile, and told to the ledger.
/// </summary>
internal sealed record FileChange(WorkspacePath Path, TextFile File, bool IsNew, string Diff, IReadOnlyList<LineChange> Changes)
{
    /// <summary>What is longer is read by windows and changed by commands.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    /// <summary>What the session knows after the change.</summary>
    public FileSeen? Fact { get; private init; }

    public static async ValueTask<FileChange> ReadAsync(
        WorkspacePath path,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var state = context.Workspace.Stat(path);
        switch (state)
        {
            case null:
                throw new WorkspaceException(
                    ToolErrors.FileNotFound,
                    $"File not found: {path}. Look for it with glob, or create it with write_file."
                );
            case { Kind: FileKind.Directory }:
                throw new WorkspaceException(ToolErrors.IsDirectory, $"{path} is a directory: name a file in it.");
            case { Kind: FileKind.Other }:
                throw new WorkspaceException(
                    ToolErrors.NotRegularFile,
                    $"{path} is a device, socket or pipe: only regular files are opened."
                );
            case { Length: > MaxBytes }:
                throw new WorkspaceException(
                    ToolErrors.FileTooLarge,
                    $"{path} has {state.Length} bytes, more than the {MaxBytes} that can be edited: change it with a command."
                );
        }

        var bytes = await context.Workspace.ReadAsync(path, MaxBytes, cancellationToken);
        var file =
            TextFile.Decode(bytes)
            ?? throw new WorkspaceException(
                ToolErrors.ReadFailed,
                $"{path} is a binary file, not text: look at it or change it with a command."
            );
        return new FileChange(path, file, IsNew: false, "", []);
    }

    public static async ValueTask<FileChange> CreateAsync(
        WorkspacePath path,
        string text,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var bytes = TextFile.Encode(text);
        var file = TextFile.Decode(bytes) ?? throw NotText(path);
        await context.Workspace.WriteAsync(path, bytes, basedOn: null, cancellationToken);
        var fact = new FileSeen(path.Full, file.Hash, Lines: null);
        context.Files.Apply(fact);
        return new FileChange(path, file, IsNew: true, TextDiff.Unified(path.Shown, null, file.Raw), []) { Fact = fact };
    }

    /// <param name="raw">The new text with the line endings that it shall have.</param>
    public async ValueTask<FileChange> WriteAsync(string raw, ToolContext context, CancellationToken cancellationToken)
    {
        var bytes = File.EncodeRaw(raw);
        var file = TextFile.Decode(bytes) ?? throw NotText(Path);
        await context.Workspace.WriteAsync(Path, bytes, File.Hash, cancellationToken);
        var changes = TextDiff.Compare(LineSpans.Split(File.Raw), LineSpans.Split(raw));
        var fact = Known(file, changes, context);
        context.Files.Apply(fact);
        return new FileChange(Path, file, IsNew: false, TextDiff.Unified(Path.Shown, File.Raw, raw), changes) { Fact = fact };
    }

    public ToolResult Result(string text) =>
        ToolResult.Ok(text) with
        {
            Display = [new DiffContent(Path.Shown, Diff, IsNew)],
            Facts = Fact is null ? [] : [Fact],
        };

    private FileSeen Known(TextFile written, IReadOnlyList<LineChange> changes, ToolContext context)
    {
        var known = context.Files.Find(Path.Full);
        var seen =
            known is null || !string.Equals(known.Hash, File.Hash, StringComparison.Ordinal)
                ? []
                : known.Lines ?? [new LineRange(1, Math.Max(1, File.LineCount))];
        var moved = FileLedger.Move(seen, changes);
        var all = written.LineCount == 0 || moved is [{ First: 1 } only] && only.Last >= written.LineCount;
        return new FileSeen(Path.Full, written.Hash, all ? null : moved);
    }

    private static WorkspaceException NotText(WorkspacePath path) =>
        new(ToolErrors.WriteFailed, $"{path} would become a binary file: send text without NUL characters.");
}

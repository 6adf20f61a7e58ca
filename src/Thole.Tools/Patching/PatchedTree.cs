using System.Text;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Tools.Editing;

namespace Thole.Tools.Patching;

/// <summary>The files of a patch as they shall be: complete and checked in memory before the first of them is written.</summary>
internal sealed class PatchedTree(ToolContext context)
{
    private readonly List<Entry> _entries = [];
    private readonly List<string> _notes = [];

    public static WorkspacePath Resolve(string path, ToolContext context)
    {
        var parts = path.Split('/', '\\');
        return path.StartsWith('/')
            || path.StartsWith('\\')
            || (path.Length > 1 && path[1] is ':' && char.IsAsciiLetter(path[0]))
            || parts.Contains("..", StringComparer.Ordinal)
                ? throw new WorkspaceException(
                    ToolErrors.OutsideWorkspace,
                    $"The patch names {path}: its paths must be relative to the workspace and stay in it."
                )
            : parts.Contains(".git", StringComparer.OrdinalIgnoreCase)
                ? throw PatchReader.Rejected($"The patch names {path}: what lies in .git is git's own, change it with git.")
            : context.Workspace.Resolve(path);
    }

    public async ValueTask ApplyAsync(FilePatch patch, CancellationToken cancellationToken)
    {
        if (patch.NewMode is { } mode && mode is not ("100644" or "100755"))
        {
            throw PatchReader.Rejected(
                $"{patch.Path} would get the mode {mode}: only regular files can be patched, make links with a command."
            );
        }

        var target = patch.NewPath is null ? null : await EntryAsync(patch.NewPath, cancellationToken);
        var source = patch.OldPath is null ? null : await EntryAsync(patch.OldPath, cancellationToken);
        if (source is { Lines: null } && patch.MayCreate)
        {
            source = null;
        }

        if (source is { Lines: null })
        {
            throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"File not found: {source.Path}. The patch was rejected, nothing was changed."
            );
        }

        if (target is { Lines: not null } && !ReferenceEquals(source, target))
        {
            throw new WorkspaceException(
                ToolErrors.AlreadyExists,
                $"{target.Path} exists already, and the patch would create it. The patch was rejected, nothing was changed."
            );
        }

        var (lines, removed) = source is null
            ? PatchApplier.Apply(patch, [], "\n")
            : PatchApplier.Apply(
                patch,
                [.. source.Lines!.Select(line => line with { IsPatched = false })],
                source.File?.NewLine ?? "\n"
            );
        if (source?.File is { } known)
        {
            context.Files.Require(source.Path, known.Hash, known.LineCount, Ranges(removed));
        }

        if (target is null && lines.Count > 0)
        {
            throw PatchReader.Rejected(
                $"{patch.Path} is said to be deleted, but lines remain. Nothing was changed. Read it again and remove every line."
            );
        }

        if (target is not null)
        {
            (target.Lines, target.Encoding) = (lines, source?.Encoding ?? source?.File);
            target.Origin = source;
        }

        if (source is not null && !patch.IsCopy && !ReferenceEquals(source, target))
        {
            source.Lines = null;
        }

        if (patch.NewMode is not null && (patch.NewMode is "100755" || patch.OldPath is not null))
        {
            _notes.Add($"The mode {patch.NewMode} of {patch.Path} was not set: use chmod.");
        }
    }

    public async ValueTask<ToolResult> WriteAsync(CancellationToken cancellationToken)
    {
        // What is removed comes last, so that a rename that fails in the middle leaves two files and never none.
        Entry[] changes = [.. _entries.Where(entry => entry.IsChanged).OrderBy(entry => entry.Lines is null)];
        var (done, display, facts) = (new List<string>(), new List<Content>(), new List<SessionEvent>());
        var encoded = changes.Select(entry => entry.Lines is null ? null : Encode(entry)).ToList();
        for (var index = 0; index < changes.Length; index++)
        {
            var entry = changes[index];
            try
            {
                if (encoded[index] is { } bytes)
                {
                    await context.Workspace.WriteAsync(entry.Path, bytes, entry.File?.Hash, cancellationToken);
                }
                else
                {
                    await context.Workspace.DeleteAsync(entry.Path, entry.File!.Hash, cancellationToken);
                }
            }
            catch (WorkspaceException refused) when (done.Count > 0)
            {
                var missing = string.Join(", ", changes[index..].Select(change => change.Path));
                return Answer(
                    $"{refused.Message} The patch is applied in part. Done: {string.Join(", ", done)}. Not done: {missing}."
                ) with
                {
                    Error = refused.Error,
                };
            }

            var fact = Fact(entry, encoded[index]);
            context.Files.Apply(fact);
            facts.Add(fact);
            display.Add(
                new DiffContent(
                    entry.Path.Relative,
                    TextDiff.Unified(entry.Path.Relative, entry.File?.Raw, entry.Raw),
                    entry.File is null
                )
            );
            done.Add($"{(entry.Lines is null ? "deleted" : entry.File is null ? "created" : "changed")} {entry.Path}");
        }

        return done.Count == 0 && _notes.Count == 0
            ? ToolResult.Failed(ToolErrors.NoChange, "The patch changes nothing: the files have this content already.")
            : Answer(done.Count == 0 ? "No content changed." : $"Applied the patch: {string.Join(", ", done)}.");

        ToolResult Answer(string text) =>
            ToolResult.Ok(string.Join('\n', [text, .. _notes])) with
            {
                Display = display,
                Facts = facts,
            };
    }

    private static byte[] Encode(Entry entry) =>
        entry.Encoding is { } file ? file.EncodeRaw(entry.Raw!) : TextFile.Encode(entry.Raw!);

    private async ValueTask<Entry> EntryAsync(string name, CancellationToken cancellationToken)
    {
        var path = Resolve(name, context);
        if (_entries.Find(entry => string.Equals(entry.Path.Full, path.Full, StringComparison.Ordinal)) is { } known)
        {
            return known;
        }

        var file = context.Workspace.Stat(path) is null
            ? null
            : (await FileChange.ReadAsync(path, context, cancellationToken)).File;
        var added = new Entry(path, file);
        _entries.Add(added);
        return added;
    }

    private static List<LineRange> Ranges(IReadOnlyList<int> lines)
    {
        var ranges = new List<LineRange>();
        foreach (var line in lines.Where(line => line > 0).Order())
        {
            FileWindow.Extend(ranges, line);
        }

        return ranges;
    }

    /// <summary>Lines that the patch made are known, and those that were known where they came from.</summary>
    private FileSeen Fact(Entry entry, byte[]? bytes)
    {
        if (bytes is null)
        {
            return new FileSeen(entry.Path.Full, null, null);
        }

        var origin = entry.Origin ?? entry;
        var before = context.Files.Find(origin.Path.Full);
        var isCurrent = origin.File is null || string.Equals(before?.Hash, origin.File.Hash, StringComparison.Ordinal);
        var seen = new List<LineRange>();
        for (var index = 0; index < entry.Lines!.Count; index++)
        {
            var from = entry.Lines[index].Origin;
            var shown =
                isCurrent && (before?.Lines is null || before.Lines.Any(range => range.First <= from && from <= range.Last));
            if (from == 0 || shown)
            {
                FileWindow.Extend(seen, index + 1);
            }
        }

        var all = entry.Lines.Count == 0 || (seen is [var only] && only == new LineRange(1, entry.Lines.Count));
        return new FileSeen(entry.Path.Full, TextFile.HashOf(bytes), all ? null : seen);
    }

    /// <param name="file">What is on disk; null where there is nothing.</param>
    private sealed class Entry(WorkspacePath path, TextFile? file)
    {
        public WorkspacePath Path { get; } = path;

        public TextFile? File { get; } = file;

        /// <summary>What shall be there; null for nothing.</summary>
        public List<ImageLine>? Lines { get; set; } = file is null ? null : PatchApplier.Image(file.Raw);

        /// <summary>The file whose encoding it has.</summary>
        public TextFile? Encoding { get; set; } = file;

        /// <summary>Where its lines come from, where that is another file.</summary>
        public Entry? Origin { get; set; }

        public string? Raw =>
            Lines is null ? null : Lines.Aggregate(new StringBuilder(), (text, line) => text.Append(line.Text)).ToString();

        public bool IsChanged => !string.Equals(Raw, File?.Raw, StringComparison.Ordinal);
    }
}

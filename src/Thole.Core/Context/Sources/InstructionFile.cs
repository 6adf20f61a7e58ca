using System.Text;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context.Sources;

/// <summary>
/// A file with instructions, or the folder of one, and the territory it may import from: the workspace, the repository above it, or
/// the user's own folder. Nothing is read beyond the territory.
/// </summary>
internal sealed class InstructionFile
{
    /// <summary>Begins the name of what lies in the user's own folder.</summary>
    public const string UserPrefix = "~user/";

    private const int MaxBytes = FileLimits.MaxMemoryBytes;

    private readonly Func<string, CancellationToken, ValueTask<byte[]?>> _read;
    private readonly Func<string, string> _name;
    private readonly string _top;
    private readonly string _relative;

    /// <param name="top">The folder that the file's path is relative to.</param>
    private InstructionFile(
        string top,
        string relative,
        Func<string, string> name,
        Func<string, CancellationToken, ValueTask<byte[]?>> read
    ) => (_top, _relative, _name, _read) = (top, relative, name, read);

    /// <summary>What the file is called in the log: relative to the workspace, or <c>~user/AGENTS.md</c>.</summary>
    public string Source => _name(_relative);

    /// <summary>What reading it touches, as the log of a session of that workspace says it.</summary>
    public IEnumerable<string> Touches(string workspace) =>
        new Touch(Path.Join(_top, _relative), IsWrite: false).DescribeAll(workspace);

    public static InstructionFile OfUser(string folder, OutsideReader read) =>
        new(
            folder,
            "",
            static relative => UserPrefix + relative,
            // The user's folder may be made of links into a folder of dotfiles: it is theirs.
            (relative, _) => ValueTask.FromResult(read(Path.GetPathRoot(folder)!, Path.Join(folder, relative), MaxBytes))
        );

    public static InstructionFile OfRepository(string top, string folder, string root, OutsideReader read) =>
        new(
            top,
            Slashes(Path.GetRelativePath(top, folder)),
            relative => Slashes(Path.GetRelativePath(root, Path.Join(top, relative))),
            (relative, _) => ValueTask.FromResult(read(top, Path.Join(top, relative), MaxBytes))
        );

    public static InstructionFile OfWorkspace(IWorkspace workspace, string root, string folder) =>
        new(
            root,
            folder,
            relative => string.Equals(root, workspace.Root, StringComparison.Ordinal) ? relative : $"{root}/{relative}",
            (relative, cancellationToken) => ReadAsync(workspace, new WorkspacePath(root, relative), cancellationToken)
        );

    public InstructionFile Beneath(string name) => new(_top, _relative.Length == 0 ? name : $"{_relative}/{name}", _name, _read);

    /// <summary>The file that <paramref name="import"/> names, seen from this one; null where it lies outside of the territory.</summary>
    public InstructionFile? Import(string import)
    {
        if (
            import.StartsWith('~')
            || import.Contains('\\')
            || import.Contains('\0')
            || import.Contains(':')
            || Path.IsPathRooted(import)
        )
        {
            return null;
        }

        List<string> steps = [.. _relative.Split('/')[..^1]];
        foreach (var step in import.Split('/'))
        {
            switch (step)
            {
                case "" or ".":
                    break;
                case ".." when steps.Count == 0:
                    return null;
                case "..":
                    steps.RemoveAt(steps.Count - 1);
                    break;
                default:
                    steps.Add(step);
                    break;
            }
        }

        return new InstructionFile(_top, string.Join('/', steps), _name, _read);
    }

    /// <summary>The text without characters that people cannot see; null where there is no such file.</summary>
    public async ValueTask<string?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await _read(_relative, cancellationToken) is not { } bytes)
        {
            return null;
        }

        var hasMark = bytes is [0xEF, 0xBB, 0xBF, ..];
        var text = Encoding.UTF8.GetString(bytes, hasMark ? 3 : 0, bytes.Length - (hasMark ? 3 : 0));
        var visible = TerminalText.WithoutInvisible(text, out var removed).ReplaceLineEndings("\n").Trim();
        return visible.Length == 0 ? null
            : removed == 0 ? visible
            : $"{visible}\n[{removed} invisible characters were removed from this file]";
    }

    /// <summary>Null where there is no such file.</summary>
    public async ValueTask<int?> LengthAsync(CancellationToken cancellationToken) =>
        (await _read(_relative, cancellationToken))?.Length;

    private static async ValueTask<byte[]?> ReadAsync(
        IWorkspace workspace,
        WorkspacePath path,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return workspace.Stat(path) is { Kind: FileKind.File }
                ? await workspace.ReadAsync(path, MaxBytes, cancellationToken)
                : null;
        }
        catch (WorkspaceException)
        {
            // Too large, not readable, or a link out of the workspace: it is no instruction to us.
            return null;
        }
    }

    private static string Slashes(string path) => path is "." ? "" : path.Replace('\\', '/');
}

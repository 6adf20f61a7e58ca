using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>Where the repository around a directory has its top and its common git folder, also in a linked worktree.</summary>
internal sealed record GitFolder(string Top, string Common)
{
    private const long LongestPointer = 8 * 1024;

    public static GitFolder? Find(string directory)
    {
        for (var top = directory; top is not null; top = Path.GetDirectoryName(top))
        {
            var folder = Path.Join(top, ".git");
            if (File.Exists(Path.Join(folder, "HEAD")))
            {
                return new GitFolder(top, folder);
            }

            if (ReadPointer(folder, "gitdir: ") is { } worktree)
            {
                folder = Path.GetFullPath(worktree, top);
                return new GitFolder(
                    top,
                    ReadPointer(Path.Join(folder, "commondir"), "") is { } common ? Path.GetFullPath(common, folder) : folder
                );
            }
        }

        return null;
    }

    private static string? ReadPointer(string file, string prefix) =>
        OutsideFile.Read(file, LongestPointer) is { } content
        && Encoding.UTF8.GetString(content).TrimEnd('\r', '\n') is var text
        && text.StartsWith(prefix, StringComparison.Ordinal)
        && !text.Contains('\0', StringComparison.Ordinal)
        && text.Length > prefix.Length
            ? text[prefix.Length..]
            : null;
}

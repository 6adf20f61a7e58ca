namespace Thole.Core.Workspaces;

/// <summary>
/// Reads small files that lie outside of a workspace and belong to the user or to the repository around it: instructions,
/// and where git says which branch is checked out.
/// </summary>
public static class TrustedFile
{
    /// <summary>
    /// The content; null where there is no regular file of 1 to <paramref name="limit"/> bytes, where a link leads out of
    /// <paramref name="root"/>, or where everybody may write into the folder. Both paths are absolute.
    /// </summary>
    public static byte[]? Read(string root, string path, int limit)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.LinkTarget is not null)
            {
                file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            }

            // A pipe or device says that it is empty; opening a pipe would wait for somebody to write.
            return file.Exists && file.Length > 0 && file.Length <= limit && IsBeneath(root, file.FullName) && !IsAnyones(file)
                ? ReadAtMost(file, limit)
                : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // In /tmp anybody may lay a repository around the user's work; git refuses that too (CVE-2022-24765).
    private static bool IsAnyones(FileInfo file) =>
        !OperatingSystem.IsWindows() && file.Directory is { } folder && folder.UnixFileMode.HasFlag(UnixFileMode.OtherWrite);

    private static bool IsBeneath(string root, string path)
    {
        var full = Path.GetFullPath(path);
        var top = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (
            !full.StartsWith(
                Path.EndsInDirectorySeparator(top) ? top : top + Path.DirectorySeparatorChar,
                StringComparison.Ordinal
            )
        )
        {
            return false;
        }

        // Below the root no folder on the way may be a link; what lies above it is the user's own affair.
        for (
            var folder = Path.GetDirectoryName(full);
            folder is not null && folder.Length > top.Length;
            folder = Path.GetDirectoryName(folder)
        )
        {
            if (new DirectoryInfo(folder).LinkTarget is not null)
            {
                return string.Equals(top, Path.GetPathRoot(full), StringComparison.Ordinal);
            }
        }

        return true;
    }

    private static byte[]? ReadAtMost(FileInfo file, int limit)
    {
        using var stream = file.OpenRead();
        var content = new byte[Math.Min(file.Length, limit) + 1];
        var read = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return read > limit ? null : content[..read];
    }
}

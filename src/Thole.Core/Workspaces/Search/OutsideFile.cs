namespace Thole.Core.Workspaces.Search;

/// <summary>A small file outside of the workspace that the user's git reads too: configuration, the user's ignore file.</summary>
internal static class OutsideFile
{
    /// <returns>Null where there is no such regular file, it cannot be read, or it is longer than <paramref name="limit"/>.</returns>
    public static byte[]? Read(string path, long limit)
    {
        try
        {
            // A pipe with that name would block the open for ever, and has no length; a file without one has nothing to say.
            var found = new FileInfo(path);
            found = found.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? found;
            if (!found.Exists || found.Length == 0)
            {
                return null;
            }

            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length > limit)
            {
                return null;
            }

            var content = new byte[length];
            var read = RandomAccess.Read(file, content, 0);
            return content[..read];
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }
}

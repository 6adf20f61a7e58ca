using System.Text;

namespace Thole.Core.Context.Sources;

/// <summary>Where the repository around a directory begins, and where git keeps what belongs to that checkout; found without running git.</summary>
internal sealed record RepositoryTop(string Directory, string GitDirectory)
{
    private const int MaxLength = 4096;

    /// <summary>The nearest directory with a <c>.git</c>, never above <paramref name="home"/>; null where there is none.</summary>
    public static RepositoryTop? Find(string directory, string? home, OutsideReader read)
    {
        for (var folder = directory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var git = Path.Join(folder, ".git");
            if (read(folder, Path.Join(git, "HEAD"), MaxLength) is not null)
            {
                return new RepositoryTop(folder, git);
            }

            if (read(folder, git, MaxLength) is { } pointer)
            {
                return new RepositoryTop(folder, Pointed(folder, Encoding.UTF8.GetString(pointer)));
            }

            if (string.Equals(folder, home, StringComparison.Ordinal))
            {
                break;
            }
        }

        return null;
    }

    /// <summary>The branch that is checked out, or the commit where none is; null where git's files say neither.</summary>
    public string? Branch(OutsideReader read)
    {
        const string Prefix = "ref: refs/heads/";
        // A worktree's files lie in the main repository, wherever that is; only the form of a HEAD is ever shown of them.
        if (read(Path.GetPathRoot(GitDirectory)!, Path.Join(GitDirectory, "HEAD"), MaxLength) is not { } content)
        {
            return null;
        }

        var head = Encoding.UTF8.GetString(content).Trim();
        return head.StartsWith(Prefix, StringComparison.Ordinal) ? head[Prefix.Length..]
            : head.Length is 40 or 64 && head.All(char.IsAsciiHexDigitLower) ? $"detached at {head[..12]}"
            : null;
    }

    private static string Pointed(string folder, string content)
    {
        const string Prefix = "gitdir:";
        var line = content.AsSpan().Trim();
        return line.StartsWith(Prefix, StringComparison.Ordinal) && !line.Contains('\0')
            ? Path.GetFullPath(line[Prefix.Length..].Trim().ToString(), folder)
            : Path.Join(folder, ".git");
    }
}

namespace Thole.Testing;

/// <summary>Finds the data that others made to test against; it is no part of the repository.</summary>
public static class Acceptance
{
    /// <summary>The folder that <c>THOLE_ACCEPTANCE</c> names, else <c>shared/acceptance</c> up the tree; null where there is none.</summary>
    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("THOLE_ACCEPTANCE") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "acceptance");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}

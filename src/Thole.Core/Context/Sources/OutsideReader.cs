namespace Thole.Core.Context.Sources;

/// <summary>
/// Reads a file outside of the workspace for us: <see cref="Workspaces.TrustedFile.Read"/>, or what a test has instead. Null where
/// there is none of at most <paramref name="limit"/> bytes, or where a link leads out of <paramref name="root"/>.
/// </summary>
public delegate byte[]? OutsideReader(string root, string path, int limit);

using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>Tells a client what the world refused: in the words of its protocol, and without a path of this machine.</summary>
/// <param name="roots">What no sentence may hold.</param>
internal sealed class ClientRefusals(IEnumerable<string> roots)
{
    // The longer first: one may be the beginning of another.
    private readonly string[] _roots =
    [
        .. roots.Where(root => root.Length > 1).Distinct(StringComparer.Ordinal).OrderByDescending(root => root.Length),
    ];

    /// <summary>The path itself is refused, before anything is opened.</summary>
    public RefusedException OfPath(WorkspaceException refused) =>
        refused.Error is ToolErrors.OutsideWorkspace
            ? new RefusedException(
                FileRefusals.OutsideWorkspace,
                "The path lies outside of the workspace: use one relative to its root.",
                refused
            )
            : Of(refused);

    public RefusedException Of(WorkspaceException refused) =>
        refused.Error switch
        {
            ToolErrors.OutsideWorkspace => new RefusedException(
                FileRefusals.SymlinkEscape,
                "A symbolic link on the path leads out of the workspace: use the path of a file inside.",
                refused
            ),
            var error => new RefusedException(WordFor(error), Hide(refused.Message), refused),
        };

    public string Hide(string message)
    {
        foreach (var root in _roots)
        {
            message = message
                .Replace(root + "/", "", StringComparison.Ordinal)
                .Replace(root + "\\", "", StringComparison.Ordinal)
                .Replace(root, "the workspace", StringComparison.Ordinal);
        }

        return message;
    }

    private static string WordFor(string error) =>
        error switch
        {
            ToolErrors.FileNotFound => FileRefusals.NotFound,
            ToolErrors.FileTooLarge => FileRefusals.TooLarge,
            ToolErrors.AlreadyExists => FileRefusals.AlreadyExists,
            ToolErrors.ChangedSinceRead => FileRefusals.HashMismatch,
            ToolErrors.PermissionDenied => FileRefusals.PermissionDenied,
            ToolErrors.InvalidArguments or ToolErrors.GlobFailed => FileRefusals.ParseError,
            ToolErrors.IsDirectory or ToolErrors.NotRegularFile or ToolErrors.Failed => FileRefusals.InvalidArgument,
            _ => FileRefusals.IoError,
        };
}

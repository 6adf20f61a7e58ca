using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context.Sources;

/// <summary>Where and when the work happens, said once and shortly: directory, platform, date, branch, what lies at the top.</summary>
public sealed class EnvironmentSource(TimeProvider time, OutsideReader readOutside) : IContextSource
{
    private const int MaxLength = 1000;
    private const int MaxNames = 30;
    private const int MaxName = 60;
    private const int MaxPath = 500;

    public ValueTask<IReadOnlyList<ContextAdded>> CollectAsync(ContextScope scope, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ContextAdded>>(
            scope.Known.Contains(ContextOrigin.Environment)
                ? []
                : [new ContextAdded(ContextOrigin.Environment, Describe(scope.Workspace))]
        );

    private string Describe(IWorkspace workspace)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"Working directory: {Shown(workspace.Root, MaxPath)}\n")
            .Append(CultureInfo.InvariantCulture, $"Platform: {Platform} {RuntimeInformation.OSArchitecture}\n")
            .Append(CultureInfo.InvariantCulture, $"Date: {time.GetLocalNow():yyyy-MM-dd}\n");
        if (RepositoryTop.Find(workspace.Root, home: null, readOutside)?.Branch(readOutside) is { } branch)
        {
            text.Append(CultureInfo.InvariantCulture, $"Git branch: {Shown(branch, MaxName)}\n");
        }

        AppendNames(text, workspace);
        return text.ToString().TrimEnd('\n');
    }

    private static string Platform =>
        OperatingSystem.IsWindows() ? "windows"
        : OperatingSystem.IsMacOS() ? "macos"
        : "linux";

    private static void AppendNames(StringBuilder text, IWorkspace workspace)
    {
        List<string> names;
        try
        {
            names =
            [
                .. workspace
                    .List(workspace.Resolve("."))
                    .Where(static entry => entry.Name is not ".git")
                    .Select(static entry => Shown(entry.Name, MaxName) + (entry.Kind == FileKind.Directory ? "/" : ""))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (WorkspaceException)
        {
            // A root that cannot be listed is the tools' to report; the rest of the description still holds.
            return;
        }

        text.Append("Top level:");
        var shown = 0;
        while (shown < names.Count && shown < MaxNames && Bytes(text) + Encoding.UTF8.GetByteCount(names[shown]) < MaxLength - 20)
        {
            text.Append(' ').Append(names[shown++]);
        }

        text.Append(
            names.Count == 0 ? " nothing"
            : shown < names.Count ? $" and {names.Count - shown} more"
            : ""
        );
    }

    private static int Bytes(StringBuilder text) => Encoding.UTF8.GetByteCount(text.ToString());

    private static string Shown(string name, int length) =>
        TerminalText.EscapeLine(name.Length > length ? name[..length] + "…" : name);
}

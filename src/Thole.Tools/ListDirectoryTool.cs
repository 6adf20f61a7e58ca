using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Shows what one directory holds, directories first.</summary>
public sealed partial class ListDirectoryTool()
    : Tool<ListDirectoryTool.Arguments>(static () => ListDirectoryJson.Default.Arguments)
{
    private const int MostEntries = 900;
    private const int MostCharacters = 24_000;

    public override string Name => "list_directory";

    public override string Description => "Lists a directory with file sizes; git-ignored entries are only counted.";

    public override ToolKind Kind => ToolKind.Read;

    public override string Schema =>
        """{"type":"object","properties":{"path":{"type":"string"},"ignore":{"type":"array","items":{"type":"string"},"description":"globs to leave out"}},"required":["path"]}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        $"List {ShownText.Of(context.Workspace.Resolve(arguments.Path).ToString())}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [Touch.Names(context.Workspace.Resolve(arguments.Path))];

    protected override string? Subject(Arguments arguments, ToolContext context) =>
        context.Workspace.Resolve(arguments.Path).Full;

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var directory = context.Workspace.Resolve(arguments.Path);
        HashSet<string> unwanted = [];
        foreach (var glob in arguments.Ignore ?? [])
        {
            await foreach (
                var entry in context.Search.FindAsync(new FileQuery(directory, glob) { MaxDepth = 1 }, cancellationToken)
            )
            {
                unwanted.Add(entry.Path.Relative);
            }
        }

        var tally = new SearchTally();
        List<FoundFile> entries = [];
        await foreach (
            var entry in context.Search.FindAsync(
                new FileQuery(directory, null) { MaxDepth = 1, Tally = tally },
                cancellationToken
            )
        )
        {
            if (!unwanted.Contains(entry.Path.Relative))
            {
                entries.Add(entry);
            }
        }

        var text = new StringBuilder();
        var shown = 0;
        foreach (
            var entry in entries
                .OrderBy(static entry => entry.State.Kind is not FileKind.Directory)
                .ThenBy(static entry => entry.Path.Relative, StringComparer.Ordinal)
        )
        {
            if (shown == MostEntries || text.Length > MostCharacters)
            {
                break;
            }

            shown++;
            var name = ShownText.Of(Path.GetFileName(entry.Path.Relative));
            _ =
                entry.State.Kind is FileKind.Directory
                    ? text.Append(CultureInfo.InvariantCulture, $"[DIR] {name}\n")
                    : text.Append(CultureInfo.InvariantCulture, $"{name} ({entry.State.Length} bytes)\n");
        }

        var head = $"{ShownText.Of(directory.ToString())}: {entries.Count} {(entries.Count == 1 ? "entry" : "entries")}\n";
        string[] left =
        [
            .. shown < entries.Count
                ? [$"{entries.Count - shown} more entries: use glob to find particular ones."]
                : Array.Empty<string>(),
            .. unwanted.Count > 0 ? [$"{unwanted.Count} left out as asked."] : Array.Empty<string>(),
            .. tally.Ignored > 0 ? [$"{tally.Ignored} left out by ignore files."] : Array.Empty<string>(),
            .. tally.Unreadable > 0 ? ["The directory cannot be read: check its permissions."] : Array.Empty<string>(),
        ];
        var result = head + text + string.Join('\n', left);
        return tally.Unreadable > 0 ? ToolResult.Failed(ToolErrors.ReadFailed, result) : ToolResult.Ok(result.TrimEnd('\n'));
    }

    public sealed record Arguments(string Path, IReadOnlyList<string>? Ignore = null);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class ListDirectoryJson : JsonSerializerContext;
}

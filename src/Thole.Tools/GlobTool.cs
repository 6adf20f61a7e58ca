using System.Text;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Finds files by a pattern of their paths: those of the last day first, newest first, then all others by name.</summary>
public sealed partial class GlobTool() : Tool<GlobTool.Arguments>(static () => GlobJson.Default.Arguments)
{
    private const int MostShown = 100;

    public override string Name => "glob";

    public override string Description => "Finds files by path pattern such as src/**/*.{ts,tsx}; recent ones first.";

    public override ToolKind Kind => ToolKind.Search;

    public override string Schema =>
        """{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string","description":"directory to search, default the workspace"}},"required":["pattern"]}""";

    protected override string Title(Arguments arguments, ToolContext context) => $"Find {ShownText.Of(arguments.Pattern)}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [Touch.ReadBelow(context.Workspace.Resolve(arguments.Path ?? "."))];

    protected override string? Subject(Arguments arguments, ToolContext context) =>
        context.Workspace.Resolve(arguments.Path ?? ".").Full;

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var directory = context.Workspace.Resolve(arguments.Path ?? ".");

        // Models like to write the whole path.
        var pattern = arguments.Pattern.StartsWith(directory.Full + "/", StringComparison.Ordinal)
            ? arguments.Pattern[(directory.Full.Length + 1)..]
            : arguments.Pattern;
        var tally = new SearchTally();
        List<FoundFile> found = [];
        await foreach (
            var file in context.Search.FindAsync(new FileQuery(directory, pattern) { Tally = tally }, cancellationToken)
        )
        {
            if (file.State.Kind is FileKind.File)
            {
                found.Add(file);
            }
        }

        var unread = tally.Unreadable > 0 ? $"\n{tally.Unreadable} directories could not be read." : "";
        if (found is [])
        {
            var hint = pattern.Contains('/', StringComparison.Ordinal)
                ? ""
                : $" itself; **/{ShownText.Of(pattern)} looks at every depth";
            return ToolResult.Ok(
                $"No file matches {ShownText.Of(pattern)} in {ShownText.Of(directory.ToString())}{hint}.{unread}"
            );
        }

        var yesterday = context.Time.GetUtcNow().AddDays(-1);
        var text = new StringBuilder(
            $"Found {found.Count} file(s) matching {ShownText.Of(pattern)}, recently modified first:\n---\n"
        );
        foreach (
            var file in found
                .OrderByDescending(file => file.State.ModifiedAt > yesterday ? file.State.ModifiedAt : DateTimeOffset.MinValue)
                .ThenBy(static file => file.Path.Relative, StringComparer.Ordinal)
                .Take(MostShown)
        )
        {
            text.Append(ShownText.Of(file.Path.ToString())).Append('\n');
        }

        if (found.Count > MostShown)
        {
            text.Append($"---\n{found.Count - MostShown} more: narrow the pattern or the path.");
        }

        return ToolResult.Ok(text.ToString().TrimEnd('\n') + unread);
    }

    public sealed record Arguments(string Pattern, string? Path = null);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class GlobJson : JsonSerializerContext;
}

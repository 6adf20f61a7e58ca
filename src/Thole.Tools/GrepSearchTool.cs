using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Finds lines by a regular expression. A line that is shown whole counts as read.</summary>
public sealed partial class GrepSearchTool() : Tool<GrepSearchTool.Arguments>(static () => GrepSearchJson.Default.Arguments)
{
    /// <summary>Collected before they are sorted, so that the same search gives the same answer.</summary>
    private const int MostCollected = 5000;
    private const int MostShown = 500;

    /// <summary>An answer of this size is never cut by what stands behind the tool.</summary>
    private const int MostCharacters = 22_000;

    public override string Name => "grep_search";

    public override string Description =>
        "Searches file contents by regular expression, line by line; case-insensitive unless ignore_case is false.";

    public override ToolKind Kind => ToolKind.Search;

    public override string Schema =>
        """{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"},"glob":{"type":"string"},"limit":{"type":"integer","minimum":1},"ignore_case":{"type":"boolean"}},"required":["pattern"]}""";

    protected override string Title(Arguments arguments, ToolContext context) => $"Search {ShownText.Of(arguments.Pattern)}";

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
        var place = context.Workspace.Resolve(arguments.Path ?? ".");
        var tally = new SearchTally();
        var query = new GrepQuery(place, arguments.Pattern, arguments.Glob, arguments.IgnoreCase ?? true, MostCollected)
        {
            Tally = tally,
        };
        List<FileMatches> files = [];
        await foreach (var file in context.Search.GrepAsync(query, cancellationToken))
        {
            files.Add(file);
        }

        files.Sort(static (left, right) => StringComparer.Ordinal.Compare(left.Path.Relative, right.Path.Relative));
        var total = files.Sum(static file => file.Lines.Count);
        var where = ShownText.Of(place.ToString()) + (arguments.Glob is null ? "" : $" ({ShownText.Of(arguments.Glob)})");
        var unread = tally.Unreadable > 0 ? $"\n{tally.Unreadable} files or directories could not be read." : "";
        if (total == 0)
        {
            return ToolResult.Ok($"No line matches {ShownText.Of(arguments.Pattern)} in {where}.{unread}");
        }

        var found = total < MostCollected ? $"{total}" : $"{MostCollected} or more";
        var text = new StringBuilder($"Found {found} matching line(s) in {where}:\n---\n");
        var limit = Math.Clamp(arguments.Limit ?? MostShown, 1, MostShown);
        var shown = 0;
        List<SessionEvent> facts = [];
        foreach (var file in files.TakeWhile(_ => shown < limit && text.Length < MostCharacters))
        {
            List<LineRange> seen = [];
            foreach (var line in file.Lines)
            {
                if (shown == limit || text.Length > MostCharacters)
                {
                    break;
                }

                if (line == file.Lines[0])
                {
                    text.Append(CultureInfo.InvariantCulture, $"File: {ShownText.Of(file.Path.ToString())}\n");
                }

                shown++;
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"L{line.Number}: {line.Text}{(line.WasCut ? " [rest of the line not shown]" : "")}\n"
                );
                if (!line.WasCut)
                {
                    seen.Add(new LineRange(line.Number, line.Number));
                }
            }

            text.Append("---\n");
            if (file.Hash is not null && seen is not [])
            {
                facts.Add(new FileSeen(file.Path.Full, file.Hash, seen));
            }
        }

        if (shown < total)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{(total < MostCollected ? $"{total - shown}" : "Many")} more not shown: narrow the pattern, the path or the glob."
            );
        }

        return ToolResult.Ok(text.ToString().TrimEnd('\n') + unread) with
        {
            Facts = facts,
        };
    }

    public sealed record Arguments(
        string Pattern,
        string? Path = null,
        string? Glob = null,
        int? Limit = null,
        bool? IgnoreCase = null
    );

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class GrepSearchJson : JsonSerializerContext;
}

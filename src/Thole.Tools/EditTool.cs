using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Tools.Editing;

namespace Thole.Tools;

/// <summary>Replaces text in a file; tolerant about how the model spells what it replaces, never about which place it means.</summary>
public sealed partial class EditTool() : Tool<EditTool.Arguments>(static () => EditJson.Default.Arguments)
{
    private const int SnippetContext = 4;
    private const int MaxSnippetLines = 60;
    private const int NamedCandidates = 10;

    public override string Name => "edit";
    public override string Description =>
        "Replaces old_string by new_string in a file that was read. old_string must name one place; empty makes a new file.";
    public override ToolKind Kind => ToolKind.Edit;
    public override string Schema =>
        """{"type":"object","properties":{"file_path":{"type":"string"},"old_string":{"type":"string","description":"Exact text, with enough lines around it to be unique"},"new_string":{"type":"string"},"replace_all":{"type":"boolean"}},"required":["file_path","old_string","new_string"],"additionalProperties":false}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        $"Edit {context.Workspace.Resolve(arguments.FilePath)}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [Touch.Write(context.Workspace.Resolve(arguments.FilePath))];

    protected override string? Subject(Arguments arguments, ToolContext context) =>
        context.Workspace.Resolve(arguments.FilePath).ToString();

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var path = context.Workspace.Resolve(arguments.FilePath);
        if (context.Workspace.Stat(path) is null && arguments.OldString.Length == 0)
        {
            var created = await FileChange.CreateAsync(path, arguments.NewString, context, cancellationToken);
            return created.Result($"Created {path}.");
        }

        var current = await FileChange.ReadAsync(path, context, cancellationToken);
        var file = current.File;
        if (arguments.OldString.Length == 0)
        {
            return ToolResult.Failed(
                ToolErrors.AlreadyExists,
                $"{path} exists already: name in old_string the text to replace, or use write_file to replace all of it."
            );
        }

        var wanted = arguments.OldString.Replace("\r\n", "\n", StringComparison.Ordinal);
        var replacement = arguments.NewString.Replace("\r\n", "\n", StringComparison.Ordinal);
        if (string.Equals(wanted, replacement, StringComparison.Ordinal))
        {
            return ToolResult.Failed(ToolErrors.NoChange, "old_string and new_string are the same: nothing would change.");
        }

        var matches = MatchLadder.Find(file.Text, wanted, replacement);
        if (matches.Count == 0)
        {
            // What the model knows of the file may be old: then that is what to say.
            context.Files.Require(path, file.Hash, file.LineCount, []);
            return ToolResult.Failed(
                ToolErrors.NoOccurrence,
                $"old_string does not occur in {path}: read the lines to change again and copy them exactly."
            );
        }

        if (matches.Count > 1 && arguments.ReplaceAll is not true)
        {
            context.Files.Require(path, file.Hash, file.LineCount, []);
            var lines = string.Join(", ", matches.Take(NamedCandidates).Select(match => LineAt(file.Text, match.Start)));
            return ToolResult.Failed(
                ToolErrors.OccurrenceMismatch,
                $"old_string occurs {matches.Count} times in {path}, at lines {lines}{(matches.Count > NamedCandidates ? ", …" : "")}: "
                    + "add surrounding lines until it names one place, or set replace_all."
            );
        }

        var touched = matches
            .Select(match => new LineRange(
                LineAt(file.Text, match.Start),
                LineAt(file.Text, Math.Max(match.Start, match.Start + match.Length - 1))
            ))
            .ToList();
        context.Files.Require(path, file.Hash, file.LineCount, touched);
        var raw = file.Replace(matches);
        if (string.Equals(raw, file.Raw, StringComparison.Ordinal))
        {
            return ToolResult.Failed(ToolErrors.NoChange, $"{path} has this text already: nothing would change.");
        }

        var written = await current.WriteAsync(raw, context, cancellationToken);
        var count = matches.Count == 1 ? "1 place" : $"{matches.Count} places";
        return written.Result($"Edited {path} in {count}.\n\n{Snippet(written, LineAt(file.Text, matches[0].Start))}");
    }

    private static string Snippet(FileChange written, int line)
    {
        var lines = written.File.Text.Split('\n');
        var lineCount = written.File.LineCount;
        var end = written.Changes.Count == 0 ? line : written.Changes[0].NewEnd;
        var first = Math.Max(
            1,
            Math.Min(line, written.Changes.Count == 0 ? line : written.Changes[0].NewStart + 1) - SnippetContext
        );
        var last = Math.Min(Math.Min(lineCount, Math.Max(line, end) + SnippetContext), first + MaxSnippetLines - 1);
        if (last < first)
        {
            return "The file is empty now.";
        }

        return $"Lines {first}-{last} of {lineCount} now:\n{string.Join('\n', lines[(first - 1)..last].Select(FileWindow.Cut))}";
    }

    private static int LineAt(string text, int offset) => text.AsSpan(0, offset).Count('\n') + 1;

    public sealed record Arguments(
        [property: JsonPropertyName("file_path")] string FilePath,
        [property: JsonPropertyName("old_string")] string OldString,
        [property: JsonPropertyName("new_string")] string NewString,
        [property: JsonPropertyName("replace_all")] bool? ReplaceAll = null
    );

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class EditJson : JsonSerializerContext;
}

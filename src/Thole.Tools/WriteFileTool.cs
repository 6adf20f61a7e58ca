using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Tools.Editing;

namespace Thole.Tools;

/// <summary>Makes a file, or replaces all of one that was read whole; encoding, byte order mark and line endings stay.</summary>
public sealed partial class WriteFileTool() : Tool<WriteFileTool.Arguments>(static () => WriteFileJson.Default.Arguments)
{
    public override string Name => "write_file";
    public override string Description => "Writes a whole file, parents included. An existing file must have been read whole.";
    public override ToolKind Kind => ToolKind.Edit;
    public override string Schema =>
        """{"type":"object","properties":{"file_path":{"type":"string"},"content":{"type":"string"}},"required":["file_path","content"]}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        $"Write {context.Workspace.Resolve(arguments.FilePath)}";

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
        if (context.Workspace.Stat(path) is null)
        {
            if (context.Files.Find(path.Full) is { Hash: not null })
            {
                return ToolResult.Failed(
                    ToolErrors.ChangedSinceRead,
                    $"{path} was deleted since it was read: make sure that it is meant to exist, then create it with edit and an empty old_string."
                );
            }

            var created = await FileChange.CreateAsync(path, arguments.Content, context, cancellationToken);
            return created.Result($"Created {path}, {Lines(created.File.LineCount)}.");
        }

        var current = await FileChange.ReadAsync(path, context, cancellationToken);
        context.Files.Require(path, current.File.Hash, current.File.LineCount, needed: null);
        var raw = current.File.Rewrite(arguments.Content);
        if (string.Equals(raw, current.File.Raw, StringComparison.Ordinal))
        {
            return ToolResult.Failed(ToolErrors.NoChange, $"{path} has this content already: nothing would change.");
        }

        var written = await current.WriteAsync(raw, context, cancellationToken);
        var (added, removed) = (written.Changes.Sum(change => change.NewCount), written.Changes.Sum(change => change.OldCount));
        return written.Result($"Overwrote {path}, now {Lines(written.File.LineCount)}: {added} added, {removed} removed.");
    }

    private static string Lines(int count) => count == 1 ? "1 line" : $"{count} lines";

    public sealed record Arguments([property: JsonPropertyName("file_path")] string FilePath, string Content);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class WriteFileJson : JsonSerializerContext;
}

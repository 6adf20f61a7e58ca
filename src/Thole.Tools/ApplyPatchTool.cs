using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Tools.Patching;

namespace Thole.Tools;

/// <summary>Applies a unified diff to several files as <c>git apply</c> would: all of it fits, or nothing is changed.</summary>
public sealed partial class ApplyPatchTool() : Tool<ApplyPatchTool.Arguments>(static () => ApplyPatchJson.Default.Arguments)
{
    public override string Name => "apply_patch";
    public override string Description =>
        "Applies a unified diff (git format, several files) to files that were read: all or nothing.";
    public override ToolKind Kind => ToolKind.Edit;
    public override string Schema => """{"type":"object","properties":{"patch":{"type":"string"}},"required":["patch"]}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        Paths(arguments, context) is [var only] ? $"Patch {only}" : $"Patch {Paths(arguments, context).Count} files";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [.. Paths(arguments, context).Select(Touch.Write)];

    protected override string? Subject(Arguments arguments, ToolContext context) =>
        Paths(arguments, context) is [var only] ? only.ToString() : null;

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var change = new PatchedTree(context);
        foreach (var patch in PatchReader.Read(arguments.Patch))
        {
            await change.ApplyAsync(patch, cancellationToken);
        }

        return await change.WriteAsync(cancellationToken);
    }

    private static List<WorkspacePath> Paths(Arguments arguments, ToolContext context) =>
        [
            .. PatchReader
                .Read(arguments.Patch)
                .SelectMany(static patch => new[] { patch.OldPath, patch.NewPath })
                .OfType<string>()
                .Distinct(StringComparer.Ordinal)
                .Select(path => PatchedTree.Resolve(path, context)),
        ];

    public sealed record Arguments(string Patch);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class ApplyPatchJson : JsonSerializerContext;
}

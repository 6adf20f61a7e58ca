using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Reads what a background command printed since the last look, and says whether it still runs.</summary>
public sealed partial class TaskOutputTool() : Tool<TaskOutputTool.Arguments>(static () => TaskOutputJson.Default.Arguments)
{
    private const int MaxBytes = 30_000;

    public override string Name => "task_output";

    public override string Description => "What a background command printed since the last read, and whether it still runs.";

    public override ToolKind Kind => ToolKind.Read;

    public override string Schema =>
        """{"type":"object","properties":{"task_id":{"type":"string","description":"bg_…"}},"required":["task_id"]}""";

    protected override string Title(Arguments arguments, ToolContext context) => $"Output of {arguments.TaskId}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [new Touch(arguments.TaskId, IsWrite: false)];

    protected override ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var command = context.Processes.Known(arguments.TaskId);

        // Asked before the read: what is printed between the two is then read, and no end is told before its last words.
        var result = command.Result;
        var printed = command.ReadNew(MaxBytes);
        var text = result is null
            ? $"Status: running\nOutput: {(printed.Length == 0 ? "(nothing new)" : printed)}"
            : $"Status: ended\n{CommandReport.Of(result, printed, Timeout.InfiniteTimeSpan)}";
        return ValueTask.FromResult(
            ToolResult.Ok(text) with
            {
                Display = [new TerminalContent(command.Command, printed, result?.ExitCode)],
            }
        );
    }

    public sealed record Arguments(string TaskId);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class TaskOutputJson : JsonSerializerContext;
}

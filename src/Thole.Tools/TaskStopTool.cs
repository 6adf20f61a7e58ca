using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Ends a background command and all that it started.</summary>
public sealed partial class TaskStopTool() : Tool<TaskStopTool.Arguments>(static () => TaskStopJson.Default.Arguments)
{
    public override string Name => "task_stop";

    public override string Description => "Ends a background command and all it started.";

    public override ToolKind Kind => ToolKind.Execute;

    public override string Schema =>
        """{"type":"object","properties":{"task_id":{"type":"string","description":"bg_…"}},"required":["task_id"]}""";

    protected override string Title(Arguments arguments, ToolContext context) => $"Stop {arguments.TaskId}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [new Touch(arguments.TaskId, IsWrite: true)];

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var command = context.Processes.Known(arguments.TaskId);
        if (command.Result is { } before)
        {
            return ToolResult.Ok($"{command.Id} had ended already. {CommandReport.Ending(before)}");
        }

        // Half a stop helps nobody, and it is bounded: an interrupt waits for it.
        await command.StopAsync(CancellationToken.None);
        return command.Result is { } result
            ? ToolResult.Ok($"{command.Id} has ended. {CommandReport.Ending(result)}")
            : ToolResult.Failed(
                ToolErrors.Failed,
                $"{command.Id} was killed, but the system does not let it go (is it another user's, or waiting for a disk?): look with ps."
            );
    }

    public sealed record Arguments(string TaskId);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class TaskStopJson : JsonSerializerContext;
}

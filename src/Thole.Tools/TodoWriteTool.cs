using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>The agent's own list of what is to be done: each call replaces the whole of it.</summary>
public sealed partial class TodoWriteTool() : Tool<TodoWriteTool.Arguments>(static () => TodoWriteJson.Default.Arguments)
{
    public override string Name => "todo_write";
    public override string Description => "Replaces your whole list of todos. Use it for work of several steps.";
    public override ToolKind Kind => ToolKind.Think;

    public override string Schema =>
        """{"type":"object","properties":{"todos":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string","maxLength":500},"content":{"type":"string","minLength":1},"status":{"enum":["pending","in_progress","completed"]}},"required":["content","status"]}}},"required":["todos"],"additionalProperties":false}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        arguments.Todos.Count == 1 ? "Write 1 todo" : $"Write {arguments.Todos.Count} todos";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) => [];

    protected override ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var todos = WithIds(arguments.Todos);
        var open = todos.Count(static todo => todo.Status != TodoStatus.Completed);
        return ValueTask.FromResult(
            ToolResult.Ok($"{todos.Length} todos, {open} open.") with
            {
                Facts = [new TodosChanged(todos)],
            }
        );
    }

    private static Todo[] WithIds(IReadOnlyList<Item> items)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (item.Id is { Length: > 0 } id && !taken.Add(id))
            {
                throw new WorkspaceException(
                    ToolErrors.InvalidArguments,
                    $"params/todos holds the id '{TerminalText.EscapeLine(id)}' twice: give each todo an id of its own, or none."
                );
            }
        }

        var next = 1;
        return [.. items.Select(item => new Todo(item.Id is { Length: > 0 } id ? id : Free(), item.Content, item.Status))];

        string Free()
        {
            string id;
            do
            {
                id = next++.ToString(CultureInfo.InvariantCulture);
            } while (!taken.Add(id));

            return id;
        }
    }

    public sealed record Arguments(IReadOnlyList<Item> Todos);

    public sealed record Item(string Content, TodoStatus Status, string? Id = null);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class TodoWriteJson : JsonSerializerContext;
}

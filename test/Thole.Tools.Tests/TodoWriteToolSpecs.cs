using System.Text;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing;
using Thole.Tools.Tests.Web;

namespace Thole.Tools.Tests;

public sealed class TodoWriteToolSpecs
{
    [Fact]
    public async Task The_whole_list_is_a_fact()
    {
        var result = await WriteAsync(
            """{"todos":[{"content":"a","status":"completed"},{"id":"1","content":"b","status":"in_progress"},{"content":"c","status":"pending"}]}"""
        );

        Assert.Equal("3 todos, 2 open.", result.Text);
        Assert.Equal(
            [
                new Todo("2", "a", TodoStatus.Completed),
                new Todo("1", "b", TodoStatus.InProgress),
                new Todo("3", "c", TodoStatus.Pending),
            ],
            Assert.IsType<TodosChanged>(Assert.Single(result.Facts)).Todos
        );
    }

    [Fact]
    public async Task An_empty_list_clears_it() =>
        Assert.Empty(Assert.IsType<TodosChanged>(Assert.Single((await WriteAsync("""{"todos":[]}""")).Facts)).Todos);

    [Theory]
    [InlineData(
        """{"todos":[{"id":"x","content":"a","status":"pending"},{"id":"x","content":"b","status":"pending"}]}""",
        "the id 'x' twice"
    )]
    [InlineData(
        """{"todos":[{"content":"a","status":"done"}]}""",
        "params/todos/0/status must be equal to one of the allowed values"
    )]
    [InlineData(
        """{"todos":[{"content":"","status":"pending"}]}""",
        "params/todos/0/content must NOT have fewer than 1 characters"
    )]
    [InlineData("""{}""", "params must have required property 'todos'")]
    public async Task A_wrong_list_is_answered_and_changes_nothing(string arguments, string message)
    {
        var result = await WriteAsync(arguments);

        Assert.Equal(ToolErrors.InvalidArguments, result.Error);
        Assert.Contains(message, result.Text);
        Assert.Empty(result.Facts);
    }

    [Fact]
    public void What_the_model_is_told_is_short()
    {
        var tool = new TodoWriteTool();
        Assert.InRange(Encoding.UTF8.GetByteCount(tool.Schema + tool.Description + tool.Name), 1, 400);
    }

    private static async Task<ToolResult> WriteAsync(string arguments)
    {
        var prepared = new TodoWriteTool().Prepare(
            new ToolCall(new CallId("1"), "todo_write", arguments),
            TestContexts.With(new MemoryBlobs(), new ManualTime())
        );
        return prepared.Refusal ?? await prepared.RunAsync([], TestContext.Current.CancellationToken);
    }
}

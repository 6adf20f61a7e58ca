using System.Text;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing;
using Thole.Tools.Tests.Web;

namespace Thole.Tools.Tests;

public sealed class AskUserQuestionToolSpecs
{
    private const string Two = """
        {"questions":[{"question":"Which store?","header":"Store","options":[{"label":"SQLite","description":"one file"},
        {"label":"Postgres","description":"a server"}]},{"question":"Which parts?","header":"Parts","multiSelect":true,
        "options":[{"label":"a","description":""},{"label":"b","description":""}]}]}
        """;

    [Fact]
    public void The_person_is_asked_with_choices()
    {
        var prepared = Prepare(Two);

        Assert.Null(prepared.Refusal);
        Assert.Equal("Ask: Store, Parts", prepared.Title);
        Assert.Equal(["Which store?", "Which parts?"], prepared.Questions.Select(static question => question.Text));
        Assert.Equal([new Choice("SQLite", "one file"), new Choice("Postgres", "a server")], prepared.Questions[0].Choices);
        Assert.Equal([false, true], prepared.Questions.Select(static question => question.MultiSelect));
    }

    [Fact]
    public async Task The_model_is_told_what_the_person_said()
    {
        var result = await Prepare(Two).RunAsync(["SQLite", "both, please"], TestContext.Current.CancellationToken);

        Assert.Null(result.Error);
        Assert.Equal("User has provided the following answers:\n\n**Store**: SQLite\n**Parts**: both, please", result.Text);
    }

    [Fact]
    public async Task Without_an_answer_nothing_is_made_up() =>
        Assert.Equal(ToolErrors.NobodyToAsk, (await Prepare(Two).RunAsync([], TestContext.Current.CancellationToken)).Error);

    [Theory]
    [InlineData("""{"questions":[]}""", "params/questions must NOT have fewer than 1 items")]
    [InlineData(
        """{"questions":[{"question":"a","header":"b","options":[{"label":"c","description":"d"}]}]}""",
        "fewer than 2 items"
    )]
    [InlineData(
        """{"questions":[{"question":"a","header":"longer than twelve","options":[]}]}""",
        "must NOT have more than 12 characters"
    )]
    public void A_wrong_question_is_not_asked(string arguments, string message) =>
        Assert.Contains(message, Prepare(arguments).Refusal?.Text);

    [Fact]
    public void What_the_model_is_told_is_short()
    {
        var tool = new AskUserQuestionTool();
        Assert.InRange(Encoding.UTF8.GetByteCount(tool.Schema + tool.Description + tool.Name), 1, 650);
    }

    private static Preparation Prepare(string arguments) =>
        new AskUserQuestionTool().Prepare(
            new ToolCall(new CallId("1"), "ask_user_question", arguments),
            TestContexts.With(new MemoryBlobs(), new ManualTime())
        );
}

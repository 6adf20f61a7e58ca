using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Asks the person, with choices. The answer comes the way that permissions come; the call itself only tells it on.</summary>
public sealed partial class AskUserQuestionTool()
    : Tool<AskUserQuestionTool.Arguments>(static () => AskUserQuestionJson.Default.Arguments)
{
    public override string Name => "ask_user_question";
    public override string Description => "Asks the user when only they can decide. They may also answer in their own words.";
    public override ToolKind Kind => ToolKind.Think;

    public override string Schema =>
        """{"type":"object","properties":{"questions":{"type":"array","minItems":1,"maxItems":4,"items":{"type":"object","properties":{"question":{"type":"string","minLength":1},"header":{"type":"string","minLength":1,"maxLength":12},"options":{"type":"array","minItems":2,"maxItems":4,"items":{"type":"object","properties":{"label":{"type":"string","minLength":1},"description":{"type":"string"}},"required":["label","description"]}},"multiSelect":{"type":"boolean"}},"required":["question","header","options"]}}},"required":["questions"]}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        $"Ask: {string.Join(", ", arguments.Questions.Select(static question => TerminalText.EscapeLine(question.Header)))}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) => [];

    protected override IReadOnlyList<Question> Questions(Arguments arguments) =>
        [
            .. arguments.Questions.Select(static asked => new Question(
                asked.Header,
                asked.Question,
                [.. asked.Options.Select(static option => new Choice(option.Label, option.Description))],
                asked.MultiSelect
            )),
        ];

    protected override ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (answers.Count != arguments.Questions.Count)
        {
            throw new WorkspaceException(
                ToolErrors.NobodyToAsk,
                $"{answers.Count} of {arguments.Questions.Count} questions were answered: decide yourself and say what you assumed."
            );
        }

        var told = new StringBuilder("User has provided the following answers:\n");
        foreach (var (index, asked) in arguments.Questions.Index())
        {
            told.Append("\n**").Append(asked.Header).Append("**: ").Append(answers[index]);
        }

        return ValueTask.FromResult(ToolResult.Ok(told.ToString()));
    }

    public sealed record Arguments(IReadOnlyList<Asked> Questions);

    public sealed record Asked(string Question, string Header, IReadOnlyList<Option> Options, bool MultiSelect = false);

    public sealed record Option(string Label, string Description);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class AskUserQuestionJson : JsonSerializerContext;
}

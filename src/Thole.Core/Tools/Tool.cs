using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>
/// A tool whose arguments are a record. Arguments are checked against the schema, safe repairs are made, and what is still wrong
/// is answered here, so that a tool's author sees only valid ones. What the world refuses (<see cref="WorkspaceException"/>) is
/// answered here too.
/// </summary>
/// <param name="json">How the arguments are read; asked at the first call, because most tools of a run are never called.</param>
public abstract class Tool<TArguments>(Func<JsonTypeInfo<TArguments>> json) : ITool
    where TArguments : class
{
    private ArgumentSchema? _schema;

    public abstract string Name { get; }
    public abstract string Description { get; }
    public abstract ToolKind Kind { get; }
    public abstract string Schema { get; }

    public Preparation Prepare(ToolCall call, ToolContext context)
    {
        var (checkedArguments, problem) = (_schema ??= ArgumentSchema.Parse(Schema)).Check(call.Arguments);
        if (checkedArguments is null)
        {
            return Preparation.Refused(Name, ToolResult.Failed(ToolErrors.InvalidArguments, $"{Name}: {problem}"));
        }

        try
        {
            var arguments = checkedArguments.Deserialize(json())!;
            return Preparation.Ready(
                Title(arguments, context),
                Touches(arguments, context),
                Subject(arguments, context),
                Questions(arguments),
                (answers, cancellationToken) => AnswerAsync(arguments, answers, context, cancellationToken)
            );
        }
        catch (JsonException malformed)
        {
            return Preparation.Refused(Name, ToolResult.Failed(ToolErrors.InvalidArguments, $"{Name}: {malformed.Message}"));
        }
        catch (WorkspaceException refused)
        {
            return Preparation.Refused(Name, ToolResult.Failed(refused.Error, refused.Message));
        }
    }

    protected abstract string Title(TArguments arguments, ToolContext context);

    protected abstract IReadOnlyList<Touch> Touches(TArguments arguments, ToolContext context);

    protected virtual string? Subject(TArguments arguments, ToolContext context) => null;

    protected virtual IReadOnlyList<Question> Questions(TArguments arguments) => [];

    /// <param name="answers">What the person answered to <see cref="Questions"/>, one text a question; else empty.</param>
    protected abstract ValueTask<ToolResult> RunAsync(
        TArguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    );

    private async ValueTask<ToolResult> AnswerAsync(
        TArguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await RunAsync(arguments, answers, context, cancellationToken);
        }
        catch (WorkspaceException refused)
        {
            return ToolResult.Failed(refused.Error, refused.Message);
        }
    }
}

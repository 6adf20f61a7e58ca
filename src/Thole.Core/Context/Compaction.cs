using System.Text;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>
/// Keeps the context within the model's window: older items are replaced by a summary that the model itself writes. The newest
/// items are kept as they are, instructions always; the log keeps everything. A compaction that fails changes nothing, and after
/// three in a row it is not tried again until the provider itself says that the context is too long.
/// </summary>
internal sealed class Compaction(double threshold)
{
    private const int MaxFailures = 3;

    /// <summary>The share of the window that the newest items may keep.</summary>
    private const double KeptShare = 0.2;

    private const string Instruction = """
        Write a summary of this session that lets you go on without the conversation itself. Leave out what no longer matters.
        Use these headings: "What the user wants" (every instruction and preference of the user, in the user's own words),
        "What was decided and learned", "Files" (path, what was changed or found there), "What is done",
        "Where the work stands" (what you were doing last, what failed, the exact next step). Answer with the summary alone.
        """;

    public bool IsDue(ContextState context, ModelEndpoint endpoint, ToolBox tools)
    {
        var reserve = Math.Min(endpoint.Limits.MaxOutput, endpoint.Limits.ContextWindow / 4);
        var room = (long)((endpoint.Limits.ContextWindow - reserve) * threshold);
        return context.FailedCompactions < MaxFailures
            && context.Items.Count > 2
            && ContextSize.Of(context, tools.Definitions.Sum(tool => tool.Schema.Length + tool.Description.Length)) > room;
    }

    public static async Task<SessionEvent> RunAsync(
        ContextState context,
        ModelEndpoint endpoint,
        Account account,
        IBlobStore blobs,
        CancellationToken cancellationToken
    )
    {
        var keepFrom = KeepFrom(context, (long)(endpoint.Limits.ContextWindow * KeptShare));
        if (keepFrom <= context.Items[0].Sequence)
        {
            keepFrom = KeepFrom(context, room: 0); // our estimate says that all fits, the provider says that it does not: it knows
        }

        var older = context.Items.RemoveAll(item => item.Sequence >= keepFrom);
        if (older.IsEmpty)
        {
            return new CompactionFailed("There is nothing older to summarise: the newest step alone fills the context window.");
        }

        var request = ContextBuilder.Build(context, endpoint, new ToolBox([]), account, blobs) with
        {
            Items = older.Add(new UserItem(0, [new TextContent(Instruction)])),
        };
        var summary = new StringBuilder();
        try
        {
            await foreach (var said in endpoint.Client.StreamAsync(request, cancellationToken))
            {
                switch (said)
                {
                    case TextDelta(var text):
                        summary.Append(text);
                        break;
                    case AttemptVoided:
                        summary.Clear();
                        break;
                    case ModelFinished { Stop: StopReason.Done } finished when summary.Length > 0:
                        return new ContextCompacted(Frame(summary.ToString(), context), keepFrom, finished.Usage);
                }
            }
        }
        catch (ModelException failure) when (failure.Failure is not ModelFailure.BudgetExhausted) // that ends the turn, and spoils nothing
        {
            return new CompactionFailed(failure.Message);
        }

        return new CompactionFailed("The model did not write a whole summary.");
    }

    /// <summary>
    /// The number of the first item that is kept: as many of the newest as fit, beginning where the model spoke or the user did,
    /// never between a call and its result; at least the newest step.
    /// </summary>
    private static long KeepFrom(ContextState context, long room)
    {
        var keepFrom = long.MaxValue;
        var tokens = 0L;
        for (var index = context.Items.Count - 1; index >= 0; index--)
        {
            tokens += ContextSize.Of(context.Items[index]);
            if (tokens > room && keepFrom != long.MaxValue)
            {
                break;
            }

            // A result's number is always larger than its message's: a cut before a message takes its results along.
            if (context.Items[index] is AssistantItem or UserItem)
            {
                keepFrom = context.Items[index].Sequence;
            }
        }

        return keepFrom;
    }

    /// <summary>Open todos are stated by us, from the facts: a summary may forget one.</summary>
    private static string Frame(string summary, ContextState context)
    {
        var open = context.Todos.RemoveAll(todo => todo.Status is TodoStatus.Completed);
        var todos = open.IsEmpty
            ? ""
            : "\n\nOpen todos:\n"
                + string.Join(
                    '\n',
                    open.Select(todo =>
                        $"- [{(todo.Status is TodoStatus.InProgress ? "in progress" : "pending")}] {todo.Content}"
                    )
                );
        return $"The conversation so far was replaced by this summary of it.\n\n{summary.Trim()}{todos}";
    }
}

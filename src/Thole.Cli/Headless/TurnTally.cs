using System.Text;
using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>Adds up one turn from its events: the last answer, what was refused, what was used.</summary>
internal sealed class TurnTally
{
    private readonly StringBuilder _message = new();
    private readonly Dictionary<CallId, CallRequested> _calls = [];
    private readonly Dictionary<CallId, PermissionRequested> _asked = [];
    private readonly List<RefusedCall> _refused = [];
    private string _lastMessage = "";
    private int _continued;
    private DateTimeOffset _startedAt;
    private int _steps;
    private Usage _usage = new();

    /// <summary>The prompt of the turn that is added up.</summary>
    public PromptId Prompt { get; private set; }

    /// <returns>The sum, where this event ends the turn.</returns>
    public RunSummary? Add(Envelope envelope)
    {
        switch (envelope.Event)
        {
            case TurnStarted started:
                (Prompt, _startedAt, _steps, _usage, _lastMessage) = (started.Prompt, envelope.At, 0, new Usage(), "");
                _message.Clear();
                _continued = 0;
                _refused.Clear();
                _calls.Clear();
                _asked.Clear();
                break;
            case StepStarted:
                _steps++;
                _message.Length = _continued;
                break;
            case AttemptFailed:
                _message.Length = _continued;
                break;
            case TextPiece piece:
                _message.Append(piece.Text);
                break;
            case MessageCompleted completed:
                _usage = Add(_usage, completed.Usage);
                _lastMessage = _message.ToString();
                _continued = completed.Stop is "output_limit" ? _message.Length : 0; // the next message goes on where it was cut
                break;
            case ContextCompacted compacted:
                _usage = Add(_usage, compacted.Usage);
                break;
            case CallRequested requested:
                _calls[requested.Call.Id] = requested;
                break;
            case PermissionRequested question:
                _asked[question.Call] = question;
                break;
            case CallCompleted { Outcome: CallOutcome.Refused } refused when _calls.TryGetValue(refused.Call, out var call):
                var isAsked = _asked.TryGetValue(refused.Call, out var asked);
                _refused.Add(new RefusedCall(call.Call, call.Title, call.Kind, !isAsked, asked is { Questions: [_, ..] }));
                break;
            case TurnEnded ended:
                return new RunSummary(
                    ended.Outcome,
                    ended.Message,
                    _lastMessage,
                    _steps,
                    _usage,
                    [.. _refused],
                    envelope.At - _startedAt,
                    ExitCodeOf(ended.Outcome, _refused.Count)
                );
        }

        return null;
    }

    private static int ExitCodeOf(TurnOutcome outcome, int refused) =>
        outcome switch
        {
            TurnOutcome.Completed when refused > 0 => ExitCodes.WorkRefused,
            TurnOutcome.Completed => ExitCodes.Done,
            TurnOutcome.Interrupted => ExitCodes.Interrupted,
            TurnOutcome.ProviderFailed => ExitCodes.ProviderFailed,
            TurnOutcome.Unauthorized => ExitCodes.NoCredentials,
            TurnOutcome.LimitReached or TurnOutcome.BudgetExhausted => ExitCodes.LimitReached,
            _ => ExitCodes.Failed,
        };

    private static Usage Add(Usage one, Usage other) =>
        new(
            Add(one.InputTokens, other.InputTokens),
            Add(one.OutputTokens, other.OutputTokens),
            Add(one.CachedTokens, other.CachedTokens),
            Add(one.ReasoningTokens, other.ReasoningTokens),
            Add(one.CacheWriteTokens, other.CacheWriteTokens)
        );

    private static long? Add(long? one, long? other) => one is null && other is null ? null : (one ?? 0) + (other ?? 0);
}

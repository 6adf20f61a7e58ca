using Microsoft.Extensions.AI;
using Thole.Core.Models;
using Thole.Protocol;
using TextContent = Microsoft.Extensions.AI.TextContent;

namespace Thole.Extensions.AI;

/// <summary>Understands the updates of one answer. Clients put calls together themselves, so a call that comes is whole.</summary>
internal sealed class ChatClientAnswer
{
    private readonly List<FunctionCallContent> _calls = [];
    private ChatFinishReason? _finish;
    private UsageDetails? _usage;
    private bool _hasSaid;

    public IEnumerable<ModelEvent> Take(ChatResponseUpdate update)
    {
        _finish = update.FinishReason ?? _finish;
        foreach (var content in update.Contents)
        {
            switch (content)
            {
                case TextContent { Text.Length: > 0 } text:
                    _hasSaid = true;
                    yield return new TextDelta(text.Text);
                    break;
                case TextReasoningContent { Text.Length: > 0 } reasoning:
                    yield return new ReasoningDelta(reasoning.Text);
                    break;
                case FunctionCallContent call:
                    _calls.Add(call);
                    break;
                case UsageContent usage:
                    (_usage ??= new UsageDetails()).Add(usage.Details);
                    break;
                case ErrorContent error:
                    throw ChatClientFailures.OfWords(error.Message);
            }
        }
    }

    /// <exception cref="ModelException">It ended without having said anything.</exception>
    public IEnumerable<ModelEvent> Finish()
    {
        if (!_hasSaid && _calls is [] && _finish is null)
        {
            throw new ModelException(ModelFailure.StreamError, "The chat client ended its answer without having said anything.");
        }

        var stop =
            _finish == ChatFinishReason.Length ? StopReason.OutputLimit
            : _finish == ChatFinishReason.ContentFilter ? StopReason.Filtered
            : StopReason.Done;
        foreach (var (number, call) in _calls.Index())
        {
            var problem =
                call.Name is not { Length: > 0 } ? "The call has no name: say which tool is meant."
                : call.Exception is not null ? "The arguments of this call are not whole: make it again."
                : stop is not StopReason.Done && number == _calls.Count - 1
                    ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : null;
            yield return new CallProposed(call.CallId, call.Name ?? "", JsonText.FromArguments(call.Arguments), problem);
        }

        yield return new ModelFinished(
            stop,
            new Usage(
                _usage?.InputTokenCount,
                _usage?.OutputTokenCount,
                _usage?.CachedInputTokenCount,
                _usage?.ReasoningTokenCount
            )
        );
    }
}

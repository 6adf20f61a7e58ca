using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>
/// Understands the events of a message. Blocks are told apart by their index; a message_start within an answer begins nothing anew,
/// whether a gateway repeats it or the endpoint goes on after a tool of its own.
/// </summary>
internal sealed class MessagesAnswer : IAnswer
{
    private readonly List<MessageBlock> _blocks = [];
    private readonly Dictionary<long, MessageBlock> _open = [];
    private readonly MessageCounts _counts = new();
    private long _lastIndex;
    private string? _stop;
    private bool _isEnded;
    private (MessageBlock Block, string Half)? _held;

    public bool ReadsOn => true;

    public string? Explanation { get; private set; }

    public JsonElement? Complaint(string name, JsonElement data)
    {
        var type = data.GetText("type");
        return
            name is "error"
            || type is "error"
            || data.Get("error") is not null and not { ValueKind: JsonValueKind.False }
            || (type is null && data.Get("content") is null && data.GetText("message") is not null)
            ? data
            : null;
    }

    public bool Take(string name, JsonElement data, List<ModelEvent> said)
    {
        switch (data.GetText("type") ?? name)
        {
            case "message_start":
                Begin(data.Get("message") ?? data, said);
                break;
            case "content_block_start":
                // Some gateways leave out the index: then each block is the next one.
                Start(data.GetNumber("index") ?? _blocks.Count, data.Get("content_block") ?? data, said);
                break;
            case "content_block_delta" when data.Get("delta") is { } delta:
                TakeDelta(data.GetNumber("index") ?? _lastIndex, delta, said);
                break;
            case "content_block_stop":
                Stop(data.GetNumber("index") ?? _lastIndex, said);
                break;
            case "message_delta":
                End(data.Get("delta") ?? data);
                _counts.Take(data.Get("usage"));
                break;
            case "message_stop":
                _isEnded = true;
                break;
            case "message":
                TakeWhole(data, said);
                break;
        }

        return _isEnded;
    }

    public void TakeWhole(JsonElement document, List<ModelEvent> said)
    {
        Begin(document, said);
        _isEnded = true;
    }

    /// <summary>
    /// A message that was stopped is whole, and so is one that says why it ended and left nothing open: some gateways forget the end
    /// mark.
    /// </summary>
    public AnswerEnd Judge(bool hasEndMark)
    {
        if (!hasEndMark && !_isEnded && (_stop is null || _open.Count > 0))
        {
            return AnswerEnd.Cut;
        }

        if (_stop is "error" or "network_error")
        {
            return AnswerEnd.Failed;
        }

        var hasSaid = _blocks.Exists(static block => block.Kind is BlockKind.Call || block.Said > 0);
        return Reason(_stop) is StopReason.Filtered && !hasSaid ? AnswerEnd.Refused
            // Without a reason, or with calls as the reason, something must be there; the endpoint's own tools are something.
            : _stop is null or "tool_use" && !hasSaid && !_blocks.Exists(static block => block.Kind is BlockKind.Endpoints)
                ? AnswerEnd.Empty
            : AnswerEnd.Whole;
    }

    public void Finish(List<ModelEvent> said)
    {
        SayHeld(said);
        var reason = Reason(_stop);
        var calls = MessageCalls.Close(_blocks, wasCut: reason is not StopReason.Done);
        said.AddRange(calls.Values);
        said.Add(
            new ModelFinished(
                reason,
                _counts.ToUsage(),
                MessageLayout.Of(_blocks.FindAll(block => IsKept(block, reason, calls.ContainsKey(block))))
            )
        );
    }

    /// <summary>A thought that was cut has no signature and is refused; a server that never signs wants its thoughts back all the same.</summary>
    private static bool IsKept(MessageBlock block, StopReason reason, bool isCalled) =>
        block.Kind switch
        {
            BlockKind.Call => isCalled,
            BlockKind.Thought => reason is StopReason.Done || block.Signature is not null,
            BlockKind.HiddenThought => block.Start.GetText("data") is not null,
            _ => true,
        };

    private void Begin(JsonElement message, List<ModelEvent> said)
    {
        (_isEnded, _stop) = (false, null);
        _counts.Begin(message.Get("usage"));
        End(message);
        // Only the first start may hold content that is not streamed (an answer to a call that the endpoint's own program made); a
        // later one repeats what was said, or would have calls made that were answered long ago.
        if (_blocks is [])
        {
            switch (message.Get("content"))
            {
                case { ValueKind: JsonValueKind.Array } blocks:
                    foreach (var block in blocks.EnumerateArray())
                    {
                        Start(_blocks.Count, block, said);
                        Stop(_lastIndex, said);
                    }

                    break;
                case { ValueKind: JsonValueKind.String } text:
                    Say(Within(0, BlockKind.Text), text.Text(), said);
                    Stop(0, said);
                    break;
            }
        }
    }

    private void End(JsonElement message)
    {
        _stop = message.GetText("stop_reason") ?? _stop;
        Explanation = message.Get("stop_details")?.GetText("explanation") ?? Explanation;
    }

    private void Start(long index, JsonElement start, List<ModelEvent> said)
    {
        var block = new MessageBlock(start);
        Open(index, block);
        Say(block, start.GetText(block.Kind is BlockKind.Thought ? "thinking" : "text"), said);
    }

    private MessageBlock Open(long index, MessageBlock block)
    {
        _blocks.Add(block);
        _open[index] = block;
        _lastIndex = index;
        return block;
    }

    private void Stop(long index, List<ModelEvent> said)
    {
        SayHeld(said);
        if (_open.Remove(index, out var block))
        {
            block.IsStopped = true;
        }
    }

    private void TakeDelta(long index, JsonElement delta, List<ModelEvent> said)
    {
        switch (delta.GetText("type"))
        {
            case "text_delta":
                Say(Within(index, BlockKind.Text), delta.GetText("text"), said);
                break;
            case "thinking_delta":
                Say(Within(index, BlockKind.Thought), delta.GetText("thinking"), said);
                break;
            case "signature_delta":
                Within(index, BlockKind.Thought).Signature = delta.GetText("signature");
                break;
            case "input_json_delta" when delta.Get("partial_json") is { } piece:
                Within(index, BlockKind.Call).AddInput(piece);
                break;
        }
    }

    /// <summary>The open block of that index; where it was never begun, or is of another sort, the piece itself begins one.</summary>
    private MessageBlock Within(long index, BlockKind kind) =>
        _open.TryGetValue(index, out var block)
        && (block.Kind == kind || (kind is BlockKind.Call && block.Kind is BlockKind.Endpoints))
            ? block
            : Open(index, new MessageBlock(kind));

    /// <summary>Says it, but holds back half a surrogate pair: a letter must not be torn when its halves are stored apart.</summary>
    private void Say(MessageBlock block, string? text, List<ModelEvent> said)
    {
        if (text is null or "" || block.Kind is not (BlockKind.Text or BlockKind.Thought))
        {
            return;
        }

        if (_held?.Block == block)
        {
            (text, _held) = (_held.Value.Half + text, null);
        }

        SayHeld(said);
        if (char.IsHighSurrogate(text[^1]))
        {
            (text, _held) = (text[..^1], (block, text[^1..]));
        }

        block.Say(text, said);
    }

    private void SayHeld(List<ModelEvent> said)
    {
        if (_held is { } held)
        {
            _held = null;
            held.Block.Say(held.Half, said);
        }
    }

    private static StopReason Reason(string? stop) =>
        stop?.ToLowerInvariant() switch
        {
            "max_tokens" or "length" or "model_context_window_exceeded" => StopReason.OutputLimit,
            "refusal" or "content_filter" or "sensitive" => StopReason.Filtered,
            _ => StopReason.Done,
        };
}

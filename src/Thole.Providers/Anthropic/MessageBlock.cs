using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>A block of a message as it comes: what it is, and what was said in it.</summary>
internal sealed class MessageBlock
{
    private readonly StringBuilder _input = new();

    public MessageBlock(JsonElement start)
    {
        Kind = start.GetText("type") switch
        {
            "text" => BlockKind.Text,
            "thinking" => BlockKind.Thought,
            "redacted_thinking" => BlockKind.HiddenThought,
            "tool_use" => BlockKind.Call,
            _ => BlockKind.Endpoints,
        };
        Start = start.Clone();
        Signature = start.GetText("signature");
    }

    /// <summary>One whose beginning never came.</summary>
    public MessageBlock(BlockKind kind) => Kind = kind;

    public BlockKind Kind { get; }

    public JsonElement Start { get; }

    public bool IsStopped { get; set; }

    /// <summary>How many letters of it were said.</summary>
    public int Said { get; private set; }

    public string? Signature { get; set; }

    public string? Id => Start.GetText("id");

    public string Name => Start.GetText("name") ?? "";

    /// <summary>What came in pieces, else what the block began with.</summary>
    public string Input
    {
        get
        {
            var pieces = _input.ToString();
            return !string.IsNullOrWhiteSpace(pieces) ? pieces
                : Start.Get("input") is { } whole
                    ? whole.ValueKind is JsonValueKind.String ? whole.Text()
                        : whole.GetRawText()
                : "{}";
        }
    }

    /// <summary>Pieces are text; some gateways send the value itself.</summary>
    public void AddInput(JsonElement piece) =>
        _input.Append(piece.ValueKind is JsonValueKind.String ? piece.Text() : piece.GetRawText());

    public void Say(string text, List<ModelEvent> said)
    {
        if (text.Length > 0)
        {
            Said += text.Length;
            said.Add(Kind is BlockKind.Thought ? new ReasoningDelta(text) : new TextDelta(text));
        }
    }
}

/// <summary>What a block is to us.</summary>
internal enum BlockKind
{
    Text,
    Thought,

    /// <summary>A thought that only the model can read.</summary>
    HiddenThought,

    Call,

    /// <summary>The endpoint's own: its tools, their results, its summaries. It has dealt with them itself.</summary>
    Endpoints,
}

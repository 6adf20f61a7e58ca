using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>One item of an answer: a message, reasoning, a call, or something that the endpoint does itself.</summary>
internal sealed class OutputItem(string kind)
{
    public const string Message = "message";
    public const string Reasoning = "reasoning";
    public const string Call = "function_call";
    public const string CustomCall = "custom_tool_call";

    private readonly StringBuilder _pieces = new();
    private string? _announced;
    private string? _final;

    public string Kind { get; } = kind;

    public long? Index { get; set; }

    public string? Id { get; set; }

    public string? CallId { get; private set; }

    public string Name { get; private set; } = "";

    public string? Status { get; private set; }

    /// <summary>What the model says a message is for; it wants to see the word again.</summary>
    public string? Phase { get; private set; }

    /// <summary>Whether it was said to be over.</summary>
    public bool IsDone { get; private set; }

    public bool IsCall => Kind is Call or CustomCall;

    /// <summary>As it was when it was over, where it may have to be sent back.</summary>
    public JsonElement? Whole { get; private set; }

    public SpokenParts Text { get; } = new();

    public SpokenParts Summary { get; } = new();

    public SpokenParts Thoughts { get; } = new();

    /// <summary>How many letters of its text were told.</summary>
    public int TextLength { get; set; }

    public string Arguments => _final ?? (_pieces.Length > 0 ? _pieces.ToString() : _announced ?? "");

    public void AddArguments(string piece) => _pieces.Append(piece);

    public void EndArguments(string? whole) => _final = whole ?? _final;

    /// <summary>Whether an item that is described elsewhere may be this one.</summary>
    public bool MayBe(string kind, string? callId) => Kind == kind && (callId is null || CallId is null || callId == CallId);

    /// <param name="isOver">Whether the description comes with its end, and not with its beginning.</param>
    public void Learn(JsonElement item, bool isOver)
    {
        Id ??= item.GetText("id");
        CallId ??= item.GetText("call_id");
        Name = item.GetText("name") ?? Name;
        Phase = item.GetText("phase") ?? Phase;
        Status = item.GetText("status") ?? Status;
        IsDone |= isOver;
        var arguments = item.Get(Kind is CustomCall ? "input" : "arguments") switch
        {
            { ValueKind: JsonValueKind.String } text => text.Text(),
            { } value => value.GetRawText(),
            null => "",
        };
        if (arguments.Length > 0 && isOver)
        {
            _final = arguments;
        }
        else if (arguments.Length > 0)
        {
            _announced = arguments;
        }

        if (isOver && Kind is Reasoning)
        {
            Whole = item.Clone();
        }
    }
}

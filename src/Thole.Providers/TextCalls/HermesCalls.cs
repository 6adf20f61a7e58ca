using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.TextCalls;

/// <summary>Calls as JSON between <c>&lt;tool_call&gt;</c> and <c>&lt;/tool_call&gt;</c>.</summary>
internal sealed class HermesCalls() : TextCallParser(Opening, Closing)
{
    private const string Opening = "<tool_call>";
    private const string Closing = "</tool_call>";

    private readonly StringBuilder _body = new();
    private JsonShape _shape;
    private bool _isOpen;

    public override bool IsOpen => _isOpen;

    public override void TakeText(ReadOnlySpan<char> text)
    {
        if (_isOpen)
        {
            _body.Append(text);
            _shape.Add(text);
        }
        else
        {
            Say(text);
        }
    }

    public override void TakeMarker(string marker)
    {
        if (_shape.IsInString)
        {
            TakeText(marker); // what a tool is to write may speak of markers
        }
        else if (_isOpen)
        {
            // A second opening is the next call, of a model that forgot to close this one.
            Conclude("This call is no JSON object with a name and arguments: make it again.");
            _isOpen = marker == Opening;
        }
        else if (marker == Opening)
        {
            _isOpen = true;
        }
        else
        {
            Say(marker);
        }
    }

    protected override void End(string problem, bool wasCut)
    {
        if (_isOpen)
        {
            Conclude(problem, wasCut); // a whole object needs no closing marker to be one
            _isOpen = false;
        }
    }

    private void Conclude(string problem, bool wasCut = false)
    {
        var body = _body.ToString().Trim();
        var call = JsonArguments.Parse(body) is { ValueKind: JsonValueKind.Object } parsed ? parsed : (JsonElement?)null;
        var arguments = call is { } whole ? JsonArguments.Of(whole.Get("arguments") ?? whole.Get("parameters")) : null;
        Propose(
            call?.GetText("name") ?? "",
            arguments ?? body,
            call is null || wasCut ? problem
                : arguments is null ? JsonArguments.Malformed
                : null
        );
        _body.Clear();
        _shape = default;
    }
}

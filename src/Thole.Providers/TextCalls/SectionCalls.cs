using System.Text;
using Thole.Providers.Endpoints;

namespace Thole.Providers.TextCalls;

/// <summary>The markers of a section of calls.</summary>
internal sealed record SectionMarkers
{
    /// <summary>What may begin a section: models do not always spell it the same way.</summary>
    public required IReadOnlyList<string> Openings { get; init; }

    public required IReadOnlyList<string> Closings { get; init; }

    public required string Call { get; init; }

    /// <summary>Between the name and the arguments.</summary>
    public required string Arguments { get; init; }

    public required string CallEnd { get; init; }

    /// <summary>Whether a name is an id such as <c>functions.name:0</c>.</summary>
    public bool NamesAreIds { get; init; }

    public static SectionMarkers KimiK2 { get; } =
        new()
        {
            Openings = ["<|tool_calls_section_begin|>", "<|tool_call_section_begin|>"],
            Closings = ["<|tool_calls_section_end|>", "<|tool_call_section_end|>"],
            Call = "<|tool_call_begin|>",
            Arguments = "<|tool_call_argument_begin|>",
            CallEnd = "<|tool_call_end|>",
            NamesAreIds = true,
        };

    public static SectionMarkers DeepSeekV31 { get; } =
        new()
        {
            Openings = ["<｜tool▁calls▁begin｜>"],
            Closings = ["<｜tool▁calls▁end｜>"],
            Call = "<｜tool▁call▁begin｜>",
            Arguments = "<｜tool▁sep｜>",
            CallEnd = "<｜tool▁call▁end｜>",
        };

    public string[] All => [.. Openings, .. Closings, Call, Arguments, CallEnd];
}

/// <summary>Calls in a section, each with markers of its own. A section in which no call begins was none: it is text, as it stands.</summary>
internal sealed class SectionCalls(SectionMarkers markers) : TextCallParser(markers.All)
{
    private const string Functions = "functions.";
    private const string Malformed = "This call is not written as it must be: make it again.";

    private readonly StringBuilder _section = new();
    private readonly StringBuilder _name = new();
    private readonly StringBuilder _arguments = new();
    private JsonShape _shape;
    private State _state;

    private enum State
    {
        Text,
        Section,
        Name,
        Arguments,
    }

    public override bool IsOpen => _state is State.Name or State.Arguments;

    public override void TakeText(ReadOnlySpan<char> text)
    {
        switch (_state)
        {
            case State.Text:
                Say(text);
                break;
            case State.Section:
                _section.Append(text);
                break;
            case State.Name:
                _name.Append(text);
                break;
            case State.Arguments:
                _arguments.Append(text);
                _shape.Add(text);
                break;
        }
    }

    public override void TakeMarker(string marker)
    {
        if (_state is State.Arguments && _shape.IsInString)
        {
            TakeText(marker); // what a tool is to write may speak of markers
        }
        else if (marker == markers.Call)
        {
            Conclude(Malformed); // of a call that was not closed
            _section.Clear();
            _state = State.Name;
        }
        else if (IsOpen)
        {
            TakeWithin(marker);
        }
        else if (_state is State.Section)
        {
            _section.Append(marker);
            if (markers.Closings.Contains(marker, StringComparer.Ordinal))
            {
                Leave();
            }
        }
        else if (markers.Openings.Contains(marker, StringComparer.Ordinal))
        {
            _section.Append(marker);
            _state = State.Section;
        }
        else
        {
            Say(marker);
        }
    }

    protected override void End(string problem, bool wasCut)
    {
        Conclude(problem, wasCut);
        Leave();
    }

    private void TakeWithin(string marker)
    {
        if (marker == markers.Arguments && _state is State.Name)
        {
            _state = State.Arguments;
        }
        else if (marker == markers.CallEnd)
        {
            Conclude(Malformed, isClosed: true);
            _state = State.Section;
        }
        else if (markers.Closings.Contains(marker, StringComparer.Ordinal))
        {
            Conclude(Malformed);
            _state = State.Text;
        }
        else
        {
            TakeText(marker); // out of place, and no name or JSON any more
        }
    }

    private void Leave()
    {
        Say(_section.ToString());
        _section.Clear();
        _state = State.Text;
    }

    private void Conclude(string problem, bool wasCut = false, bool isClosed = false)
    {
        if (!IsOpen)
        {
            return;
        }

        var id = _name.ToString().Trim();
        var written = _arguments.ToString();
        var arguments = JsonArguments.Of(written);
        var isMissing = _state is State.Name || wasCut || (!isClosed && string.IsNullOrWhiteSpace(written));
        Propose(
            markers.NamesAreIds ? NameOf(id) : id,
            arguments ?? written,
            isMissing || (arguments is null && !_shape.IsWholeOrEmpty) ? problem
                : arguments is null ? JsonArguments.Malformed
                : null,
            markers.NamesAreIds && id.Length > 0 ? id : null
        );
        _name.Clear();
        _arguments.Clear();
        _shape = default;
    }

    /// <summary>The name in <c>functions.name:0</c>; prefix and number may be missing.</summary>
    private static string NameOf(string id)
    {
        var colon = id.LastIndexOf(':');
        var name = colon >= 0 && id.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? id[..colon] : id;
        return name.StartsWith(Functions, StringComparison.Ordinal) ? name[Functions.Length..] : name;
    }
}

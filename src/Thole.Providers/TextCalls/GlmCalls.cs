using System.Text;

namespace Thole.Providers.TextCalls;

/// <summary>
/// Calls as a name, then keys and values in markers. Within a value only its own end counts, since what a tool is to write may speak
/// of markers; a value that speaks of these very ones cannot be told from one that was not closed, and is not believed.
/// </summary>
internal sealed class GlmCalls(ArgumentTypes types) : TextCallParser(Call, CallEnd, Key, KeyEnd, Value, ValueEnd)
{
    private const string Call = "<tool_call>";
    private const string CallEnd = "</tool_call>";
    private const string Key = "<arg_key>";
    private const string KeyEnd = "</arg_key>";
    private const string Value = "<arg_value>";
    private const string ValueEnd = "</arg_value>";
    private const string Malformed =
        "This call is not written as it must be, its keys and values are not told apart: make it again.";

    private readonly StringBuilder _name = new();
    private readonly StringBuilder _key = new();
    private readonly StringBuilder _value = new();
    private NamedArguments _arguments = new();
    private State _state;

    private enum State
    {
        Text,
        Name,
        Key,
        Value,

        /// <summary>Between a key and its value, or a value and the next key.</summary>
        Between,
    }

    public override bool IsOpen => _state is not State.Text;

    public override void TakeText(ReadOnlySpan<char> text)
    {
        switch (_state)
        {
            case State.Text:
                Say(text);
                break;
            case State.Name:
                _name.Append(text);
                break;
            case State.Key:
                _key.Append(text);
                break;
            case State.Value:
                _value.Append(text);
                break;
            case State.Between when !text.IsWhiteSpace():
                _arguments.Refuse(Malformed);
                break;
        }
    }

    public override void TakeMarker(string marker)
    {
        switch (_state, marker)
        {
            case (State.Text, Call):
                _state = State.Name;
                break;
            case (State.Text, _):
                Say(marker);
                break;
            case (State.Value, ValueEnd):
                _arguments.Add(_key.ToString().Trim(), _value.ToString());
                _key.Clear();
                _value.Clear();
                _state = State.Between;
                break;
            case (State.Value, _):
                if (marker is Key or KeyEnd or Value)
                {
                    _arguments.Refuse(Malformed);
                }

                _value.Append(marker);
                break;
            case (State.Key, KeyEnd):
                _state = State.Between;
                break;
            case (State.Name or State.Between, Key) when _key.Length == 0:
                _state = State.Key;
                break;
            case (State.Between, Value) when _key.Length > 0:
                _state = State.Value;
                break;
            case (_, CallEnd):
                Conclude(_key.Length > 0 ? Malformed : null);
                break;
            default:
                _arguments.Refuse(Malformed);
                break;
        }
    }

    protected override void End(string problem, bool wasCut)
    {
        if (IsOpen)
        {
            Conclude(problem);
        }
    }

    private void Conclude(string? problem)
    {
        var name = _name.ToString().Trim();
        Propose(name, _arguments.ToJson(types, name, isJsonElsewhere: true), _arguments.Problem ?? problem);
        _name.Clear();
        _key.Clear();
        _value.Clear();
        _arguments = new NamedArguments();
        _state = State.Text;
    }
}

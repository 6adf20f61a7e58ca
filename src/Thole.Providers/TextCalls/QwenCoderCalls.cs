using System.Text;

namespace Thole.Providers.TextCalls;

/// <summary>
/// Calls as a function with parameters, each value on lines of its own. The frame around the function is often forgotten. Within a
/// value only its own end counts, since what a tool is to write may speak of markers.
/// </summary>
internal sealed class QwenCoderCalls(ArgumentTypes types)
    : TextCallParser(Call, CallEnd, Function, FunctionEnd, Parameter, ParameterEnd)
{
    private const string Call = "<tool_call>";
    private const string CallEnd = "</tool_call>";
    private const string Function = "<function=";
    private const string FunctionEnd = "</function>";
    private const string Parameter = "<parameter=";
    private const string ParameterEnd = "</parameter>";
    private const string Malformed = "This call is not written as it must be, its parameters are not told apart: make it again.";

    private readonly StringBuilder _function = new();
    private readonly StringBuilder _parameter = new();
    private readonly StringBuilder _value = new();
    private readonly StringBuilder _nested = new();
    private NamedArguments _arguments = new();
    private State _state;

    private enum State
    {
        Text,

        /// <summary>In the frame, before the function.</summary>
        Framed,

        /// <summary>In the name of the function, up to the bracket.</summary>
        Function,

        /// <summary>In the function, between parameters.</summary>
        Body,

        /// <summary>In the name of a parameter, up to the bracket.</summary>
        Parameter,
        Value,

        /// <summary>In what looks like the name of a parameter, within a value.</summary>
        Nested,

        /// <summary>After a function, where its frame may end.</summary>
        After,
    }

    public override bool IsOpen => _state is not (State.Text or State.After);

    public override void TakeText(ReadOnlySpan<char> text)
    {
        // A name ends at a bracket, which is no marker of its own.
        if (_state is State.Function or State.Parameter or State.Nested)
        {
            var end = text.IndexOf('>');
            NameOf(_state).Append(end < 0 ? text : text[..end]);
            if (end < 0)
            {
                return;
            }

            EndName();
            text = text[(end + 1)..];
        }

        switch (_state)
        {
            case State.Text or State.After:
                Say(text);
                break;
            case State.Value:
                _value.Append(text);
                break;
            case State.Framed or State.Body when !text.IsWhiteSpace():
                _arguments.Refuse(Malformed);
                break;
        }
    }

    public override void TakeMarker(string marker)
    {
        if (_state is State.Nested)
        {
            GiveUpNested();
        }

        switch (_state, marker)
        {
            case (State.Text or State.After, Call):
                _state = State.Framed;
                break;
            case (State.Text or State.After or State.Framed, Function):
                _state = State.Function;
                break;
            case (State.After, CallEnd):
                _state = State.Text;
                break;
            case (State.Text or State.After, _):
                Say(marker);
                break;
            case (State.Value, ParameterEnd):
                EndValue();
                _state = State.Body;
                break;
            case (State.Value, Parameter):
                _state = State.Nested;
                break;
            case (State.Value, _):
                _value.Append(marker);
                break;
            case (State.Body, Parameter):
                _state = State.Parameter;
                break;
            case (State.Body, FunctionEnd):
                Conclude(null);
                _state = State.After;
                break;
            case (_, CallEnd):
                Conclude(_state is State.Body ? null : Malformed);
                _state = State.Text;
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
            // Nothing tells that all parameters have come.
            Conclude(problem);
            _state = State.Text;
        }
    }

    private StringBuilder NameOf(State state) =>
        state switch
        {
            State.Function => _function,
            State.Parameter => _parameter,
            _ => _nested,
        };

    private void EndName()
    {
        if (_state is not State.Nested)
        {
            _state = _state is State.Function ? State.Body : State.Value;
            return;
        }

        // Where the tool has such a parameter, and it has not come, the one before it was not closed. Otherwise the value may speak of
        // calls: what of it is the value's and what is the call's own cannot be told.
        var name = _nested.ToString().Trim();
        if (
            !_arguments.Has(name)
            && name != _parameter.ToString().Trim()
            && types.Has(_function.ToString().Trim(), name)
            && EndsLine(_value)
        )
        {
            EndValue();
            _parameter.Append(name);
        }
        else
        {
            GiveUpNested();
            _value.Append('>');
        }

        _nested.Clear();
        _state = State.Value;
    }

    private void GiveUpNested()
    {
        _arguments.Refuse(Malformed);
        _value.Append(Parameter).Append(_nested);
        _nested.Clear();
        _state = State.Value;
    }

    private static bool EndsLine(StringBuilder text) => text.Length > 0 && text[^1] == '\n';

    private void EndValue()
    {
        // The line breaks at both ends are the format's.
        var value = _value.ToString();
        value = value.StartsWith('\n') ? value[1..] : value;
        _arguments.Add(_parameter.ToString().Trim(), value.EndsWith('\n') ? value[..^1] : value);
        _parameter.Clear();
        _value.Clear();
    }

    private void Conclude(string? problem)
    {
        var name = _function.ToString().Trim();
        Propose(name, _arguments.ToJson(types, name, isJsonElsewhere: false), _arguments.Problem ?? problem);
        _function.Clear();
        _parameter.Clear();
        _value.Clear();
        _nested.Clear();
        _arguments = new NamedArguments();
    }
}

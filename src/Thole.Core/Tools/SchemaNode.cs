using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>
/// One compiled node of a JSON Schema (draft-07 and 2020-12 as tools use them). Keywords it does not know are ignored, as the
/// standard asks. A schema may come from a server that nobody trusts: references may run in circles, so checking has a budget.
/// </summary>
internal sealed partial class SchemaNode
{
    private const int MaxDepth = 256;

    private bool _allowsNothing;
    private bool _allowsNull;
    private JsonElement[]? _enum;
    private JsonElement? _const;
    private decimal? _minimum;
    private decimal? _maximum;
    private bool _excludesMinimum;
    private bool _excludesMaximum;
    private long? _minLength;
    private long? _maxLength;
    private long? _minItems;
    private long? _maxItems;
    private string? _pattern;
    private Regex? _patternRegex;
    private SchemaNode[] _prefixItems = [];
    private (Regex Name, SchemaNode Node)[] _patternProperties = [];
    private SchemaNode? _additional;
    private SchemaNode[] _allOf = [];

    public JsonTypes Types { get; private set; }

    public (string Name, SchemaNode Node)[] Properties { get; private set; } = [];

    public string[] Required { get; private set; } = [];

    public SchemaNode? Items { get; private set; }

    public SchemaNode? Reference { get; private set; }

    public SchemaNode[] AnyOf { get; private set; } = [];

    public SchemaNode[] OneOf { get; private set; } = [];

    public static SchemaNode Compile(string schema)
    {
        try
        {
            if (ArgumentSchema.HasLoneSurrogate(schema))
            {
                return new SchemaNode();
            }

            var root = JsonElement.Parse(schema);
            return new Compilation(root).Node("#", root);
        }
        catch (Exception unreadable) when (unreadable is JsonException or ArgumentException or InvalidOperationException)
        {
            return new SchemaNode();
        }
    }

    /// <summary>Null where the value fits. <paramref name="length"/> is the length of the text it came from, which sets the budget.</summary>
    public Problem? Validate(JsonElement value, int length)
    {
        var budget = 1_000_000L + 4L * length;
        return Validate(value, 0, ref budget);
    }

    public bool Accepts(JsonTypes types) =>
        Types == JsonTypes.None || (Types & types) is not JsonTypes.None || (_allowsNull && types == JsonTypes.Null);

    private Problem? Validate(JsonElement value, int depth, ref long budget)
    {
        if (depth > MaxDepth || --budget < 0)
        {
            return new Problem("cannot be checked: the schema of this tool refers to itself without end");
        }

        if (_allowsNothing)
        {
            return new Problem("must not be there");
        }

        if (_allowsNull && value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return Reference?.Validate(value, depth + 1, ref budget)
            ?? ValidateType(value)
            ?? ValidateValue(value)
            ?? value.ValueKind switch
            {
                JsonValueKind.Object => ValidateObject(value, depth, ref budget),
                JsonValueKind.Array => ValidateArray(value, depth, ref budget),
                JsonValueKind.String => ValidateString(value),
                JsonValueKind.Number => ValidateNumber(value),
                _ => null,
            }
            ?? ValidateCombinations(value, depth, ref budget);
    }

    private Problem? ValidateType(JsonElement value)
    {
        var isRight = value.ValueKind switch
        {
            _ when Types is JsonTypes.None => true,
            // A whole number that fits no long would fail, in other words, where the tool reads it.
            JsonValueKind.Number => (Types.HasFlag(JsonTypes.Number) && IsFinite(value))
                || (Types.HasFlag(JsonTypes.Integer) && value.TryGetInt64(out _)),
            var kind => (Types & TypeOf(kind)) is not JsonTypes.None,
        };
        return isRight
            ? null
            : new Problem($"must be {Types.ToString().Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()}");
    }

    private Problem? ValidateValue(JsonElement value)
    {
        if (_const is { } constant && !JsonElement.DeepEquals(constant, value))
        {
            return new Problem($"must be equal to constant {Shown(constant)}");
        }

        if (_enum is null)
        {
            return null;
        }

        foreach (var allowed in _enum)
        {
            if (JsonElement.DeepEquals(allowed, value))
            {
                return null;
            }
        }

        return new Problem($"must be equal to one of the allowed values: {string.Join(", ", _enum.Take(20).Select(Shown))}");
    }

    private Problem? ValidateObject(JsonElement value, int depth, ref long budget)
    {
        foreach (var name in Required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                return new Problem($"must have required property '{Shown(name)}'");
            }
        }

        if (Properties is [] && _patternProperties is [] && _additional is null)
        {
            return null;
        }

        foreach (var property in value.EnumerateObject())
        {
            budget--;
            if (ValidateProperty(property, depth, ref budget) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private Problem? ValidateProperty(JsonProperty property, int depth, ref long budget)
    {
        var isKnown = false;
        foreach (var (name, node) in Properties)
        {
            if (property.NameEquals(name))
            {
                if (node.Validate(property.Value, depth + 1, ref budget) is { } problem)
                {
                    return problem.Under(name);
                }

                isKnown = true;
                break;
            }
        }

        foreach (var (pattern, node) in _patternProperties)
        {
            if (Matches(pattern, property.Name))
            {
                if (node.Validate(property.Value, depth + 1, ref budget) is { } problem)
                {
                    return problem.Under(property.Name);
                }

                isKnown = true;
            }
        }

        return isKnown ? null : ValidateAdditional(property, depth, ref budget);
    }

    private Problem? ValidateAdditional(JsonProperty property, int depth, ref long budget)
    {
        if (_additional is { _allowsNothing: true })
        {
            var known = string.Join(", ", Properties.Select(known => Shown(known.Name)).Take(20));
            return new Problem(
                $"must NOT have additional property '{Shown(property.Name)}'{(known is "" ? "" : $": it takes {known}")}"
            );
        }

        // A tool's reader ignores case: of "path" and "PATH" one would be judged and the other used.
        foreach (var (name, _) in Properties)
        {
            if (string.Equals(name, property.Name, StringComparison.OrdinalIgnoreCase))
            {
                return new Problem($"must NOT have additional property '{Shown(property.Name)}': spell it '{Shown(name)}'");
            }
        }

        return _additional?.Validate(property.Value, depth + 1, ref budget)?.Under(property.Name);
    }

    private Problem? ValidateArray(JsonElement value, int depth, ref long budget)
    {
        var count = value.GetArrayLength();
        if (count < _minItems)
        {
            return new Problem($"must NOT have fewer than {_minItems} items");
        }

        if (count > _maxItems)
        {
            return new Problem($"must NOT have more than {_maxItems} items");
        }

        if (Items is null && _prefixItems is [])
        {
            return null;
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            var node = index < _prefixItems.Length ? _prefixItems[index] : Items;
            if (node?.Validate(item, depth + 1, ref budget) is { } problem)
            {
                return problem.Under(index.ToString(CultureInfo.InvariantCulture));
            }

            index++;
        }

        return null;
    }

    private Problem? ValidateString(JsonElement value)
    {
        if (_minLength is null && _maxLength is null && _pattern is null)
        {
            return null;
        }

        // Lengths are counted in characters as a reader sees them in the standard: code points, not UTF-16 units.
        var text = value.GetString()!;
        var length = text.Length - CountPairs(text);
        return length < _minLength ? new Problem($"must NOT have fewer than {_minLength} characters")
            : length > _maxLength ? new Problem($"must NOT have more than {_maxLength} characters")
            : _patternRegex is not null && !Matches(_patternRegex, text)
                ? new Problem($"must match pattern \"{Shown(_pattern!)}\"")
            : null;
    }

    private Problem? ValidateNumber(JsonElement value)
    {
        if (_minimum is null && _maximum is null)
        {
            return null;
        }

        if (!value.TryGetDecimal(out var number))
        {
            // Beyond decimal's 7.9e28: larger than every bound that a tool can mean, or nothing at all.
            number =
                !value.TryGetDouble(out var far) || Math.Abs(far) < 1 ? 0
                : far < 0 ? decimal.MinValue
                : decimal.MaxValue;
        }

        return number < _minimum || (_excludesMinimum && number == _minimum)
                ? new Problem($"must be {(_excludesMinimum ? ">" : ">=")} {_minimum}")
            : number > _maximum || (_excludesMaximum && number == _maximum)
                ? new Problem($"must be {(_excludesMaximum ? "<" : "<=")} {_maximum}")
            : null;
    }

    private Problem? ValidateCombinations(JsonElement value, int depth, ref long budget)
    {
        foreach (var node in _allOf)
        {
            if (node.Validate(value, depth + 1, ref budget) is { } problem)
            {
                return problem;
            }
        }

        if (AnyOf is not [] && CountMatches(AnyOf, value, depth, atMost: 1, ref budget) == 0)
        {
            return new Problem("must match a schema in anyOf");
        }

        return OneOf is not [] && CountMatches(OneOf, value, depth, atMost: 2, ref budget) != 1
            ? new Problem("must match exactly one schema in oneOf")
            : null;
    }

    private static int CountMatches(SchemaNode[] nodes, JsonElement value, int depth, int atMost, ref long budget)
    {
        var matches = 0;
        foreach (var node in nodes)
        {
            if (node.Validate(value, depth + 1, ref budget) is null && ++matches == atMost)
            {
                break;
            }
        }

        return matches;
    }

    // Linear, but a long text against a large pattern may still take longer than anybody waits.
    private static bool Matches(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static int CountPairs(string text)
    {
        var pairs = 0;
        foreach (var unit in text)
        {
            pairs += char.IsHighSurrogate(unit) ? 1 : 0;
        }

        return pairs;
    }

    private static bool IsFinite(JsonElement value) => value.TryGetDouble(out var number) && double.IsFinite(number);

    private static JsonTypes TypeOf(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Object => JsonTypes.Object,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.String => JsonTypes.String,
            JsonValueKind.Number => JsonTypes.Number,
            JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
            _ => JsonTypes.Null,
        };

    private static string Shown(JsonElement value) => Shown(value.GetRawText());

    private static string Shown(string text) => TerminalText.EscapeLine(text.Length > 80 ? text[..80] + "…" : text);

    /// <summary>Where and what; the place is put together on the way out, so that a valid value costs nothing.</summary>
    internal sealed record Problem(string Text, string Path = "")
    {
        public Problem Under(string name) => this with { Path = $"/{Shown(name)}{Path}" };

        public override string ToString() => $"params{Path} {Text}";
    }
}

/// <summary>JSON's own kinds of value; several where a schema allows several.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    String = 1,
    Number = 2,
    Integer = 4,
    Boolean = 8,
    Array = 16,
    Object = 32,
    Null = 64,
}

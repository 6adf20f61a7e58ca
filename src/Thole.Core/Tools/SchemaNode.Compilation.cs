using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Thole.Core.Tools;

internal sealed partial class SchemaNode
{
    /// <summary>Nodes by their place, so that a reference to an ancestor finds it instead of building it again.</summary>
    private sealed class Compilation(JsonElement root)
    {
        private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);

        public SchemaNode Node(string place, JsonElement schema)
        {
            if (_nodes.TryGetValue(place, out var known))
            {
                return known;
            }

            var node = _nodes[place] = new SchemaNode();
            if (schema.ValueKind == JsonValueKind.False)
            {
                node._allowsNothing = true;
            }
            else if (schema.ValueKind == JsonValueKind.Object)
            {
                foreach (var keyword in schema.EnumerateObject())
                {
                    Read(node, place, keyword.Name, keyword.Value);
                }
            }

            return node;
        }

        private void Read(SchemaNode node, string place, string keyword, JsonElement value)
        {
            switch (keyword, value.ValueKind)
            {
                case ("type", JsonValueKind.String):
                    node.Types |= Named(value);
                    break;
                case ("type", JsonValueKind.Array):
                    node.Types = value.EnumerateArray().Aggregate(node.Types, static (types, name) => types | Named(name));
                    break;
                case ("nullable", JsonValueKind.True):
                    node._allowsNull = true;
                    break;
                case ("enum", JsonValueKind.Array):
                    node._enum = [.. value.EnumerateArray()];
                    break;
                case ("const", _):
                    node._const = value;
                    break;
                case ("properties", JsonValueKind.Object):
                    node.Properties =
                    [
                        .. value.EnumerateObject().Select(p => (p.Name, Node($"{place}/properties/{Pointer(p.Name)}", p.Value))),
                    ];
                    break;
                case ("patternProperties", JsonValueKind.Object):
                    node._patternProperties =
                    [
                        .. value
                            .EnumerateObject()
                            .Select(p => (Regex(p.Name), Node($"{place}/patternProperties/{Pointer(p.Name)}", p.Value)))
                            .Where(static entry => entry.Item1 is not null)
                            .Select(static entry => (entry.Item1!, entry.Item2)),
                    ];
                    break;
                case ("required", JsonValueKind.Array):
                    node.Required =
                    [
                        .. value
                            .EnumerateArray()
                            .Where(static name => name.ValueKind == JsonValueKind.String)
                            .Select(static name => name.GetString()!),
                    ];
                    break;
                case ("additionalProperties", _):
                    node._additional = Node($"{place}/additionalProperties", value);
                    break;
                case ("items", JsonValueKind.Array) or ("prefixItems", JsonValueKind.Array):
                    node._prefixItems = Nodes($"{place}/{keyword}", value);
                    break;
                case ("items", _):
                    node.Items = Node($"{place}/items", value);
                    break;
                case ("allOf", JsonValueKind.Array):
                    node._allOf = Nodes($"{place}/allOf", value);
                    break;
                case ("anyOf", JsonValueKind.Array):
                    node.AnyOf = Nodes($"{place}/anyOf", value);
                    break;
                case ("oneOf", JsonValueKind.Array):
                    node.OneOf = Nodes($"{place}/oneOf", value);
                    break;
                case ("$ref", JsonValueKind.String):
                    node.Reference = Find(value.GetString()!);
                    break;
                case ("pattern", JsonValueKind.String):
                    node._pattern = value.GetString();
                    node._patternRegex = Regex(node._pattern!);
                    break;
                case ("minimum", JsonValueKind.Number) when value.TryGetDecimal(out var bound):
                    node._minimum ??= bound;
                    break;
                case ("maximum", JsonValueKind.Number) when value.TryGetDecimal(out var bound):
                    node._maximum ??= bound;
                    break;
                // A number since draft-06, before that a mark on the bound beside it.
                case ("exclusiveMinimum", JsonValueKind.True):
                    node._excludesMinimum = true;
                    break;
                case ("exclusiveMaximum", JsonValueKind.True):
                    node._excludesMaximum = true;
                    break;
                case ("exclusiveMinimum", JsonValueKind.Number) when value.TryGetDecimal(out var bound):
                    (node._minimum, node._excludesMinimum) = (bound, true);
                    break;
                case ("exclusiveMaximum", JsonValueKind.Number) when value.TryGetDecimal(out var bound):
                    (node._maximum, node._excludesMaximum) = (bound, true);
                    break;
                case ("minLength", JsonValueKind.Number) when value.TryGetInt64(out var bound):
                    node._minLength = bound;
                    break;
                case ("maxLength", JsonValueKind.Number) when value.TryGetInt64(out var bound):
                    node._maxLength = bound;
                    break;
                case ("minItems", JsonValueKind.Number) when value.TryGetInt64(out var bound):
                    node._minItems = bound;
                    break;
                case ("maxItems", JsonValueKind.Number) when value.TryGetInt64(out var bound):
                    node._maxItems = bound;
                    break;
                default:
                    break;
            }
        }

        private SchemaNode[] Nodes(string place, JsonElement schemas) =>
            [.. schemas.EnumerateArray().Select((schema, index) => Node($"{place}/{index}", schema))];

        // Only within this schema: nothing is ever fetched for a schema. What is not found constrains nothing.
        private SchemaNode? Find(string reference)
        {
            if (reference is "#")
            {
                return Node("#", root);
            }

            if (!reference.StartsWith("#/", StringComparison.Ordinal))
            {
                return null;
            }

            var found = root;
            foreach (var step in Uri.UnescapeDataString(reference[2..]).Split('/'))
            {
                var name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                var isThere = found.ValueKind switch
                {
                    JsonValueKind.Object => found.TryGetProperty(name, out found),
                    JsonValueKind.Array when int.TryParse(name, CultureInfo.InvariantCulture, out var index) => TryAt(
                        index,
                        ref found
                    ),
                    _ => false,
                };
                if (!isThere)
                {
                    return null;
                }
            }

            return Node(reference, found);
        }

        private static bool TryAt(int index, ref JsonElement array)
        {
            if (index < 0 || index >= array.GetArrayLength())
            {
                return false;
            }

            array = array[index];
            return true;
        }

        private static string Pointer(string name) =>
            name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

        private static JsonTypes Named(JsonElement name) =>
            name.ValueKind == JsonValueKind.String && Enum.TryParse<JsonTypes>(name.GetString(), ignoreCase: true, out var type)
                ? type
                : JsonTypes.None;

        // What cannot be matched in linear time (look-around, back references) is not matched at all: it came from outside.
        private static Regex? Regex(string pattern)
        {
            try
            {
                return pattern.Length > 1000
                    ? null
                    : new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            }
            catch (Exception unusable) when (unusable is ArgumentException or NotSupportedException)
            {
                return null;
            }
        }
    }
}

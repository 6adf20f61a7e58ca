using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Thole.Protocol;

namespace Thole.Server.OpenApi;

/// <summary>
/// The schemas of what goes in and out, made from the same metadata that reads and writes it. Every object has a name and stands in the
/// book once; wherever it occurs it is referred to.
/// </summary>
internal sealed class SchemaBook
{
    private readonly SortedDictionary<string, JsonNode> _schemas = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> _types = new(StringComparer.Ordinal);

    /// <summary>The schema of a type where it is used: a reference, or what is no object, in place.</summary>
    public JsonNode Use(JsonTypeInfo type) => IsNamed(type) ? Reference(type) : Export(type);

    /// <summary>Whether something must be in an object of this type.</summary>
    public bool HasRequired(JsonTypeInfo type) =>
        !_schemas.TryGetValue(NameOf(type), out var schema) || schema["required"] is JsonArray { Count: > 0 };

    public void Add(string name, JsonNode schema) => _schemas.Add(name, schema);

    public JsonObject ToJson() => new(_schemas.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.DeepClone())));

    private JsonObject Reference(JsonTypeInfo type)
    {
        var name = NameOf(type);
        if (_types.TryAdd(name, type.Type))
        {
            _schemas.Add(name, Export(type));
        }
        else if (_types[name] != type.Type)
        {
            throw new InvalidOperationException($"{_types[name]} and {type.Type} would both be called {name} in the document.");
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private JsonNode Export(JsonTypeInfo type) =>
        type.GetJsonSchemaAsNode(
            new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform }
        );

    private JsonNode Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (TextOf(context) is { } text)
        {
            schema = Text(text, IsNullable(context, schema));
        }
        else if (!context.Path.IsEmpty && context.BaseTypeInfo is null && IsNamed(context.TypeInfo))
        {
            var reference = Reference(context.TypeInfo);
            schema = IsNullable(context, schema)
                ? new JsonObject { ["anyOf"] = new JsonArray(reference, new JsonObject { ["type"] = "null" }) }
                : reference;
        }
        else if (schema is JsonObject known && known["required"] is JsonArray required)
        {
            LeaveOutAbsent(context.TypeInfo, known, required);
        }

        return Described(context, AsNumber(schema));
    }

    /// <summary>A number in quotes is read, to be lenient, and never written: the document describes numbers.</summary>
    private static JsonNode AsNumber(JsonNode schema)
    {
        if (
            schema is JsonObject { Count: > 0 } known
            && known["type"] is JsonArray types
            && types.Any(type => (string?)type is "integer" or "number")
            && types.FirstOrDefault(type => (string?)type is "string") is { } quoted
        )
        {
            types.Remove(quoted);
            known.Remove("pattern");
            if (types is [var only])
            {
                known["type"] = only!.DeepClone();
            }
        }

        return schema;
    }

    /// <summary>What is null is not written, so it cannot be required of what we send.</summary>
    private static void LeaveOutAbsent(JsonTypeInfo type, JsonObject schema, JsonArray required)
    {
        if (type.Options.DefaultIgnoreCondition is not JsonIgnoreCondition.WhenWritingNull)
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            if (
                (property.IsGetNullable || Nullable.GetUnderlyingType(property.PropertyType) is not null)
                && required.FirstOrDefault(name => (string?)name == property.Name) is { } name
            )
            {
                required.Remove(name);
            }
        }

        if (required.Count == 0)
        {
            schema.Remove("required");
        }
    }

    private static JsonNode Described(JsonSchemaExporterContext context, JsonNode schema)
    {
        var told = context.PropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false);
        if (told is [DescriptionAttribute { Description: var description }] && schema is JsonObject described)
        {
            described["description"] = description;
        }

        return schema;
    }

    private static IJsonText? TextOf(JsonSchemaExporterContext context) =>
        context.PropertyInfo?.CustomConverter as IJsonText
        ?? (
            Nullable.GetUnderlyingType(context.TypeInfo.Type) is { } inner
                ? context.TypeInfo.Options.GetTypeInfo(inner)
                : context.TypeInfo
        ).Converter as IJsonText;

    private static JsonObject Text(IJsonText text, bool isNullable)
    {
        var schema = new JsonObject { ["type"] = isNullable ? new JsonArray("string", "null") : "string" };
        if (text.Words is not [])
        {
            var words = new JsonArray([.. text.Words.Select(word => (JsonNode)word)]);
            if (isNullable)
            {
                words.Add(null);
            }

            schema["enum"] = words;
        }

        return schema;
    }

    private static bool IsNullable(JsonSchemaExporterContext context, JsonNode schema) =>
        Nullable.GetUnderlyingType(context.TypeInfo.Type) is not null
        || context.PropertyInfo is { IsGetNullable: true } && !context.TypeInfo.Type.IsValueType
        || schema is JsonObject known && known["type"] is JsonArray types && types.Any(type => (string?)type is "null");

    private static bool IsNamed(JsonTypeInfo type) =>
        type.Kind is JsonTypeInfoKind.Object && Nullable.GetUnderlyingType(type.Type) is null;

    private static string NameOf(JsonTypeInfo type) => NameOf(type.Type);

    private static string NameOf(Type type) =>
        type.IsGenericType ? $"{type.Name.Split('`')[0]}Of{string.Concat(type.GenericTypeArguments.Select(NameOf))}" : type.Name;
}

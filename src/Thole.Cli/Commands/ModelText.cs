using System.Globalization;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers;
using Thole.Providers.Listing;
using Thole.Providers.OpenAI;
using Thole.Providers.Probing;
using Thole.Providers.TextCalls;

namespace Thole.Cli.Commands;

/// <summary>What is known of one model, for people and as JSON.</summary>
internal sealed class ModelText(TextWriter output, KeyWords keys)
{
    private static readonly Modalities[] s_modalities = [Modalities.Image, Modalities.Pdf, Modalities.Audio, Modalities.Video];

    public static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    public static string Dollars(decimal amount) => string.Create(CultureInfo.InvariantCulture, $"${amount:0.00##}");

    public static string WordsOf(ModelPrice price) => $"{Dollars(price.Input)} / {Dollars(price.Output)}";

    public static string WordsOf(Modalities takes) => string.Join(", ", Words(takes));

    public static string WordsOf(ProbeOutcome outcome) =>
        outcome switch
        {
            ProbeOutcome.Ok => "ok",
            ProbeOutcome.NotOk => "not ok",
            _ => "not supported",
        };

    /// <summary>What a profile changes, in a few words.</summary>
    public static string ChoicesOf(ModelProfile profile)
    {
        string?[] choices =
        [
            profile.TextCalls is { } format ? $"calls are read out of the text as {TextCallFormats.WordOf(format)}" : null,
            profile.ThinksInText is true ? "<think> in the text is reasoning" : null,
            profile.TakesImages switch
            {
                true => "images are shown to it",
                false => "images are not shown to it",
                null => null,
            },
            profile.Repairs?.Echo switch
            {
                ReasoningEcho.Never => "its reasoning is not sent back",
                ReasoningEcho.Always => "a field for reasoning is always sent back",
                _ => null,
            },
            profile.Repairs?.AsksForUsage is false ? "usage is not asked for" : null,
            profile.Repairs?.OutputLimitField is { } field ? $"the limit of an answer is sent as {field}" : null,
        ];
        var said = string.Join("; ", choices.OfType<string>());
        return said.Length > 0 ? said : "it is asked as before";
    }

    public void Write(ModelDescription model, bool asJson)
    {
        if (asJson)
        {
            ModelListText.WriteJson(output, json => Write(json, model));
            return;
        }

        var set = model.Settings;
        List<IReadOnlyList<string>> rows =
        [
            ["model", model.Name],
            ["asked at", model.Address],
            ["protocol", model.Protocol],
            ["key", keys.SentenceOf(model.Key, model.KeyNames)],
            [
                "context",
                $"{Number(model.Limits.ContextWindow)} tokens",
                $"({model.OriginOf(static known => known.ContextWindow)})",
            ],
            ["output", $"{Number(model.Limits.MaxOutput)} tokens", $"({model.OriginOf(static known => known.MaxOutput)})"],
            [
                "takes",
                model.Takes is Modalities.None ? "text" : $"text, {WordsOf(model.Takes)}",
                $"({model.OriginOf(static known => known.Takes)})",
            ],
            [
                "price",
                model.Price is { } price ? $"{WordsOf(price)} for a million tokens in / out" : "not known",
                $"({model.OriginOf(static known => known.Price)})",
            ],
        ];
        Add("reasoning", Words(set.Reasoning), static known => known.Reasoning);
        Add("text calls", set.TextCalls is { } format ? TextCallFormats.WordOf(format) : null, static known => known.TextCalls);
        Add(
            "thinks in text",
            set.ThinksInText is { } thinks ? (thinks ? "yes" : "no") : null,
            static known => known.ThinksInText
        );
        Add("sampling", set.Sampling?.GetRawText(), static known => known.Sampling);
        Add("cache marks", set.CacheControl is { } marks ? (marks ? "yes" : "no") : null, static known => known.CacheControl);
        // Fields and headers may hold secrets: that they are there is said, not what they are.
        Add("extra body", set.ExtraBody is null ? null : "set", static known => known.ExtraBody);
        Add("headers", set.Headers is null ? null : "set", static known => known.Headers);
        Add("proxy", set.Proxy is null ? null : "set", static known => known.Proxy);
        rows.Add([
            "tested",
            model.Profile is { } profile
                ? $"{profile.TestedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}: {ChoicesOf(profile)}"
                : $"never ('thole models test {model.Name}' does)",
        ]);
        Table.Write(output, rows);
        Table.Write(
            output,
            [.. (model.Profile?.Rows ?? []).Select(static row => (string[])[row.Name, WordsOf(row.Outcome), row.Detail])],
            "  "
        );

        void Add(string name, string? value, Func<ModelSettings, object?> pick)
        {
            if (value is not null)
            {
                rows.Add([name, value, $"({model.OriginOf(pick)})"]);
            }
        }
    }

    public static void WriteProfile(TextWriter output, string name, ModelProfile profile) =>
        ModelListText.WriteJson(
            output,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("model", name);
                WriteProfile(json, profile);
                json.WriteEndObject();
            }
        );

    public static void WriteModalities(Utf8JsonWriter json, Modalities takes)
    {
        json.WriteStartArray("modalities");
        foreach (var word in Words(takes))
        {
            json.WriteStringValue(word);
        }

        json.WriteEndArray();
    }

    public static void WritePrice(Utf8JsonWriter json, ModelPrice? price)
    {
        if (price is null)
        {
            json.WriteNull("price");
            return;
        }

        json.WriteStartObject("price");
        json.WriteNumber("input", price.Input);
        json.WriteNumber("output", price.Output);
        if (price.CachedInput is { } cached)
        {
            json.WriteNumber("cachedInput", cached);
        }

        if (price.CacheWrite is { } written)
        {
            json.WriteNumber("cacheWrite", written);
        }

        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, ModelDescription model)
    {
        json.WriteStartObject();
        json.WriteString("model", model.Name);
        json.WriteString("address", model.Address);
        json.WriteString("protocol", model.Protocol);
        json.WriteString("key", keys.WordOf(model.Key, model.KeyNames));
        json.WriteString("keyVariable", model.Key.Variable);
        json.WriteNumber("contextWindow", model.Limits.ContextWindow);
        json.WriteNumber("maxOutputTokens", model.Limits.MaxOutput);
        WriteModalities(json, model.Takes);
        WritePrice(json, model.Price);
        json.WriteString("reasoning", Words(model.Settings.Reasoning));
        json.WriteString("textCalls", model.Settings.TextCalls is { } format ? TextCallFormats.WordOf(format) : null);
        json.WriteStartObject("origins");
        json.WriteString("contextWindow", model.OriginOf(static known => known.ContextWindow));
        json.WriteString("maxOutputTokens", model.OriginOf(static known => known.MaxOutput));
        json.WriteString("modalities", model.OriginOf(static known => known.Takes));
        json.WriteString("price", model.OriginOf(static known => known.Price));
        json.WriteString("reasoning", model.OriginOf(static known => known.Reasoning));
        json.WriteString("textCalls", model.OriginOf(static known => known.TextCalls));
        json.WriteEndObject();
        if (model.Profile is { } profile)
        {
            json.WriteStartObject("profile");
            WriteProfile(json, profile);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("profile");
        }

        json.WriteEndObject();
    }

    private static void WriteProfile(Utf8JsonWriter json, ModelProfile profile)
    {
        json.WriteString("testedAt", profile.TestedAt);
        json.WriteString("textCalls", profile.TextCalls is { } format ? TextCallFormats.WordOf(format) : null);
        WriteFlag("thinksInText", profile.ThinksInText);
        WriteFlag("takesImages", profile.TakesImages);
        json.WriteString("reasoningEcho", profile.Repairs?.Echo?.ToString().ToLowerInvariant());
        WriteFlag("asksForUsage", profile.Repairs?.AsksForUsage);
        json.WriteString("outputLimitField", profile.Repairs?.OutputLimitField);
        json.WriteStartArray("results");
        foreach (var row in profile.Rows)
        {
            json.WriteStartObject();
            json.WriteString("probe", row.Name);
            json.WriteString("outcome", WordsOf(row.Outcome).Replace(' ', '_'));
            json.WriteString("detail", row.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();

        void WriteFlag(string name, bool? value)
        {
            if (value is { } known)
            {
                json.WriteBoolean(name, known);
            }
            else
            {
                json.WriteNull(name);
            }
        }
    }

    private static IEnumerable<string> Words(Modalities takes) =>
        s_modalities.Where(one => takes.HasFlag(one)).Select(static one => one.ToString().ToLowerInvariant());

    private static string? Words(ReasoningSetting? reasoning) =>
        reasoning switch
        {
            null => null,
            { IsOff: true } => "off",
            { Effort: { } effort, Budget: { } budget } =>
                $"{effort.ToString().ToLowerInvariant()}, {Number(budget)} tokens at most",
            { Effort: { } effort } => effort.ToString().ToLowerInvariant(),
            { Budget: { } budget } => $"{Number(budget)} tokens at most",
            _ => "on",
        };
}

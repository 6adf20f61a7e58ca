using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Listing;

/// <summary>Asks an endpoint which models it serves. Only what is said counts: lists come in as many shapes as answers.</summary>
internal sealed class EndpointList(IWire wire, EndpointOptions options, Func<HttpMessageInvoker> http, TimeProvider time)
{
    private const int LongestList = 8 * 1024 * 1024;
    private const int MostModels = 5_000;
    private const int LongestName = 300;

    private readonly EndpointSender _sender = new(wire, options, http);

    /// <exception cref="ModelException">It cannot be reached, refuses, or answers with what is no list.</exception>
    public async Task<IReadOnlyList<ServedModel>> ReadAsync(CancellationToken cancellationToken)
    {
        if (EndpointFailures.BeforeSending(options) is { } impossible)
        {
            throw impossible;
        }

        var failures = new EndpointFailures(options, "", time);
        using var patience = new Patience(options.IdleTimeout, options.Lifetime, time, cancellationToken);
        using var message = new HttpRequestMessage(HttpMethod.Get, wire.ListAddress);
        using var response = await _sender.SendAsync(message, "application/json", failures, patience);
        patience.Heard();
        if (!response.IsSuccessStatusCode)
        {
            throw await EndpointSender.RefusedAsync(response, failures, patience);
        }

        var body = await ReadBodyAsync(response, failures, patience);
        try
        {
            using var document = JsonDocument.Parse(body);
            return Read(document.RootElement) ?? throw NoList(failures, null);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw NoList(failures, malformed);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(
        HttpResponseMessage response,
        EndpointFailures failures,
        Patience patience
    )
    {
        using var body = new MemoryStream();
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
            var buffer = new byte[16 * 1024];
            for (int length; (length = await stream.ReadAsync(buffer, patience.Token)) > 0; )
            {
                patience.Heard();
                body.Write(buffer, 0, length);
                if (body.Length > LongestList)
                {
                    throw NoList(failures, null);
                }
            }
        }
        catch (OperationCanceledException given)
        {
            throw patience.Explain(failures.Who) ?? failures.Unreachable(given);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or InvalidDataException)
        {
            throw failures.Unreachable(broken);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static ModelException NoList(EndpointFailures failures, Exception? why) =>
        failures.Failed(
            ModelFailure.StreamError,
            $"{failures.Who} answered with what is no list of models: check the base address, which usually ends in /v1.",
            new RawTrace(),
            why
        );

    /// <summary>Null for what is no list.</summary>
    private static List<ServedModel>? Read(JsonElement said)
    {
        var list =
            said.ValueKind is JsonValueKind.Array ? said
            : said.Get("data") is { ValueKind: JsonValueKind.Array } data ? data
            : said.Get("models") is { ValueKind: JsonValueKind.Array } models ? models
            : (JsonElement?)null;
        if (list is not { } found)
        {
            return null;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        List<ServedModel> served = [];
        foreach (var item in found.EnumerateArray())
        {
            var name =
                item.ValueKind is JsonValueKind.String
                    ? item.Text()
                    : item.GetText("id") ?? item.GetText("name") ?? item.GetText("model");
            name = name?.StartsWith("models/", StringComparison.Ordinal) is true ? name["models/".Length..] : name;
            if (name is { Length: > 0 and <= LongestName } && names.Add(name) && served.Count < MostModels)
            {
                served.Add(
                    new ServedModel(
                        name,
                        FirstNumber(
                            item,
                            "context_length",
                            "context_window",
                            "max_model_len",
                            "max_context_length",
                            "inputTokenLimit",
                            "max_input_tokens"
                        ),
                        FirstNumber(item, "max_output_tokens", "max_completion_tokens", "outputTokenLimit")
                    )
                );
            }
        }

        return served;
    }

    private static long? FirstNumber(JsonElement item, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (item.GetNumber(name) is > 0 and var number)
            {
                return number;
            }
        }

        return null;
    }
}

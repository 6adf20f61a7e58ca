using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Thole.Core.Models;

namespace Thole.Providers.OpenAI;

/// <summary>
/// A model behind an endpoint that speaks OpenAI's chat completions. Makes each request once; <see cref="RetryingModel"/> makes it
/// again. No vendor's library: the one there is throws on, or silently drops, half of what compatible endpoints really send.
/// </summary>
/// <param name="http">Asked when the first request goes out: naming a model costs nothing.</param>
public sealed class ChatCompletionsModel(ChatOptions options, Func<HttpMessageInvoker> http, TimeProvider time) : IModel
{
    private const int LongestErrorBody = 64 * 1024;

    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (ChatFailures.BeforeSending(options) is { } impossible)
        {
            throw impossible;
        }

        var failures = new ChatFailures(options, request.Model, time);
        using var patience = new Patience(options.IdleTimeout, options.Lifetime, time, cancellationToken);
        using var response = await SendAsync(request, failures, patience, cancellationToken);
        patience.Heard();
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusedAsync(response, failures, patience);
        }

        using var exchange = new ChatExchange(await response.Content.ReadAsStreamAsync(cancellationToken), failures, patience);
        List<ModelEvent> said = [];
        for (var goesOn = true; goesOn; )
        {
            ModelException? failure = null;
            try
            {
                goesOn = await exchange.ReadAsync(said);
            }
            catch (ModelException failed)
            {
                failure = failed;
            }

            // What was said before a failure is told before it, however the bytes were packed.
            foreach (var happened in said)
            {
                yield return happened;
            }

            said.Clear();
            if (failure is not null)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsync(
        ModelRequest request,
        ChatFailures failures,
        Patience patience,
        CancellationToken cancellationToken
    )
    {
        var body = new PooledBuffer();
        await new ChatRequestWriter(options, request).WriteAsync(body, cancellationToken);
        using var message = new HttpRequestMessage(HttpMethod.Post, Endpoint(options.BaseAddress))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = new ByteArrayContent(body.Segment.Array!, body.Segment.Offset, body.Segment.Count),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        AddHeaders(message.Headers);

        try
        {
            var response = await http().SendAsync(message, patience.Token);
            body.GiveBack();
            return response;
        }
        catch (OperationCanceledException given)
        {
            throw patience.Explain(failures.Who) ?? failures.Unreachable(given);
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or IOException)
        {
            throw failures.Unreachable(unreachable);
        }
    }

    private void AddHeaders(HttpRequestHeaders headers)
    {
        headers.TryAddWithoutValidation("Accept", "text/event-stream");
        headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        foreach (var (name, value) in options.Headers)
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
        }

        if (options.Credential.Bearer is { } bearer && !headers.Contains("Authorization"))
        {
            headers.TryAddWithoutValidation("Authorization", bearer);
        }
    }

    private static async ValueTask<ModelException> RefusedAsync(
        HttpResponseMessage response,
        ChatFailures failures,
        Patience patience
    )
    {
        var raw = new RawTrace();
        using var body = new MemoryStream();
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
            var buffer = new byte[4096];
            for (int length; body.Length < LongestErrorBody && (length = await stream.ReadAsync(buffer, patience.Token)) > 0; )
            {
                patience.Heard();
                body.Write(buffer, 0, length);
                raw.Add(buffer.AsSpan(0, length));
            }
        }
        catch (OperationCanceledException)
        {
            // The status alone says enough, unless it was the caller who left.
            _ = patience.Explain(failures.Who);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or InvalidDataException)
        {
            // The status alone says enough.
        }

        return failures.Refused((int)response.StatusCode, response.Headers, body.ToArray(), raw);
    }

    /// <summary>The query of the base address stays: some gateways carry their version in it.</summary>
    private static Uri Endpoint(Uri baseAddress)
    {
        const string path = "/chat/completions";
        var address = new UriBuilder(baseAddress) { UserName = "", Password = "" };
        var stem = address.Path.TrimEnd('/');
        address.Path = stem.EndsWith(path, StringComparison.OrdinalIgnoreCase) ? stem : stem + path;
        return address.Uri;
    }

    private static readonly string s_userAgent = $"Thole/{typeof(ChatCompletionsModel).Assembly.GetName().Version?.ToString(3)}";
}

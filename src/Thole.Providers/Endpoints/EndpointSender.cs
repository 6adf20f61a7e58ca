using System.Net;
using System.Net.Http.Headers;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>Puts the headers on what goes to an endpoint, and says in one sentence why nothing, or a refusal, came back.</summary>
/// <param name="http">Asked when the first request goes out: naming a model costs nothing.</param>
internal sealed class EndpointSender(IWire wire, EndpointOptions options, Func<HttpMessageInvoker> http)
{
    private const int LongestErrorBody = 64 * 1024;

    private static readonly string s_userAgent = $"Thole/{typeof(EndpointSender).Assembly.GetName().Version?.ToString(3)}";

    /// <param name="accept">The media type that is wanted.</param>
    public async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage message,
        string accept,
        EndpointFailures failures,
        Patience patience
    )
    {
        message.Version = HttpVersion.Version20;
        message.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        AddHeaders(message.Headers, accept);
        try
        {
            return await http().SendAsync(message, patience.Token);
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

    public static async ValueTask<ModelException> RefusedAsync(
        HttpResponseMessage response,
        EndpointFailures failures,
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

    private void AddHeaders(HttpRequestHeaders headers, string accept)
    {
        headers.TryAddWithoutValidation("Accept", accept);
        headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        foreach (var (name, value) in options.Headers)
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
        }

        foreach (var (name, value) in wire.Headers)
        {
            if (!headers.Contains(name))
            {
                headers.TryAddWithoutValidation(name, value);
            }
        }

        if (options.Credential.Key is { } key && !options.HasOwnAuthorization)
        {
            var (name, value) = wire.KeyHeader(key);
            headers.TryAddWithoutValidation(name, value);
        }
    }
}

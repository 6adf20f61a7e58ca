using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Thole.Protocol;

namespace Thole.Client;

/// <summary>Puts requests to one daemon, and puts again those that may be.</summary>
internal sealed class DaemonConnection : IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _token;

    public DaemonConnection(Uri address, string? token, ClientOptions options)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"The address of a daemon is http://host:port; it was '{address}'.", nameof(address));
        }

        (_address, Options) = (address, options);
        _token = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        _http = new HttpClient(
            options.Handler ?? NewHandler(address, options.Certificate),
            disposeHandler: options.Handler is null
        )
        {
            Timeout = Timeout.InfiniteTimeSpan, // streams have no end; requests are limited each
        };
    }

    public ClientOptions Options { get; }

    public void Dispose() => _http.Dispose();

    /// <exception cref="RefusedException">The daemon says no.</exception>
    /// <exception cref="DaemonLostException">It could not be asked, or it may have done it and the answer was lost.</exception>
    public async Task<T> AskAsync<T>(DaemonRequest request, JsonTypeInfo<T> reply, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize(await AskAsync(request, cancellationToken), reply)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException wrong)
        {
            throw new DaemonLostException($"The answer to {request.Method} {request.Path} cannot be read.", wrong);
        }
    }

    /// <inheritdoc cref="AskAsync{T}"/>
    public async Task<byte[]> AskAsync(DaemonRequest request, CancellationToken cancellationToken)
    {
        var attempts = new Attempts(Options, Options.AskingPatience);
        while (true)
        {
            Refusal? refusal = null;
            NoAnswerException? none = null;
            try
            {
                (var answer, refusal) = await AskOnceAsync(request, cancellationToken);
                if (refusal is null)
                {
                    return answer;
                }
            }
            catch (NoAnswerException lost)
            {
                none = lost;
            }

            var mayBeDone = none?.WasSent ?? refusal!.IsOfGateway;
            if (mayBeDone && !request.IsHarmless)
            {
                throw new DaemonLostException(
                    "The daemon was asked, and its answer was lost; look at the session before you ask again.",
                    none
                );
            }

            var mayAskAgain = mayBeDone || none is not null || refusal!.AsksToComeBack;
            if (!mayAskAgain || !await attempts.WaitAsync(refusal?.RetryAfter, cancellationToken))
            {
                throw refusal?.ToException() ?? (Exception)new DaemonLostException(none!.Message, none);
            }
        }
    }

    /// <summary>Sends it once and returns as soon as the answer begins, whatever it is.</summary>
    /// <exception cref="NoAnswerException">It cannot be reached, or did not answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(DaemonRequest request, CancellationToken cancellationToken)
    {
        var address = Options.Locate is { } locate ? locate() : _address;
        if (address is null)
        {
            throw new NoAnswerException("The daemon does not run any more.", wasSent: false);
        }

        using var message = new HttpRequestMessage(request.Method, new Uri(address.AbsoluteUri.TrimEnd('/') + request.Path));
        message.Headers.Authorization = _token;
        message.Headers.Accept.ParseAdd(request.Accept);
        if (request.After is { } after)
        {
            message.Headers.Add("Last-Event-ID", after.ToString(CultureInfo.InvariantCulture));
        }

        if (request.Body is { } body)
        {
            message.Content = new ReadOnlyMemoryContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.MediaType);
        }

        try
        {
            return await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException failed)
        {
            var isBefore =
                failed.HttpRequestError
                is HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError;
            throw new NoAnswerException(
                isBefore
                    ? $"No daemon answers at {Shown(address)}: {failed.Message.TrimEnd('.')}."
                    : $"The daemon at {Shown(address)} broke off.",
                wasSent: !isBefore,
                failed
            );
        }
    }

    private async Task<(byte[] Answer, Refusal? Refusal)> AskOnceAsync(DaemonRequest request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Options.Silence, Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var response = await SendAsync(request, either.Token);
            return response.IsSuccessStatusCode
                ? (await response.Content.ReadAsByteArrayAsync(either.Token), null)
                : ([], await Refusal.ReadAsync(response, Options.Time, either.Token));
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NoAnswerException(
                $"The daemon did not answer within {Options.Silence.TotalSeconds:0} seconds.",
                wasSent: true,
                silent
            );
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException and not NoAnswerException)
        {
            throw new NoAnswerException("The daemon broke off in the middle of its answer.", wasSent: true, cut);
        }
    }

    private static string Shown(Uri address) => TerminalText.EscapeLine(address.GetLeftPart(UriPartial.Authority));

    private static SocketsHttpHandler NewHandler(Uri address, string? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // the token is for this address and no other
            UseCookies = false,
            UseProxy = !address.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseDrainSize = 0, // a stream that is left is closed, not read to its end, which never comes
        };
        if (certificate is not null)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown is not null
                && string.Equals(
                    shown.GetCertHashString(HashAlgorithmName.SHA256),
                    certificate,
                    StringComparison.OrdinalIgnoreCase
                );
        }

        return handler;
    }
}

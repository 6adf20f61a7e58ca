using System.Net;
using System.Net.Sockets;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Web;

/// <summary>
/// Fetches one page from the public internet: every connection goes to an address that was judged after resolution (so a name
/// that changes its answer gains nothing), every redirect is judged like the first address, and size and number are bounded.
/// No proxy, no cookies, no credentials: nothing of this machine is lent to the page.
/// </summary>
internal sealed class Browser(INetwork network)
{
    public const int MaxBytes = 10 * 1024 * 1024;
    private const int MaxRedirects = 5;
    private const int MaxAddresses = 4;

    public async Task<Page> FetchAsync(Uri address, CancellationToken cancellationToken)
    {
        // One connection pool a call: nothing that a page could learn stays for the next.
        using var http = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.All,
                ActivityHeadersPropagator = null,
                MaxResponseHeadersLength = 64,
                ConnectCallback = async (connection, token) => await ConnectAsync(connection.DnsEndPoint, token),
            }
        );
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.TryAddWithoutValidation("User-Agent", "Thole");
            request.Headers.TryAddWithoutValidation(
                "Accept",
                "text/markdown, text/html;q=0.9, application/json;q=0.9, text/*;q=0.8, */*;q=0.1"
            );
            using var response = await SendAsync(http, request, cancellationToken);
            if (
                response.StatusCode
                    is not (
                        HttpStatusCode.MovedPermanently
                        or HttpStatusCode.Found
                        or HttpStatusCode.SeeOther
                        or HttpStatusCode.TemporaryRedirect
                        or HttpStatusCode.PermanentRedirect
                    )
                || !response.Headers.NonValidated.TryGetValues("Location", out var locations)
            )
            {
                return await ReadAsync(address, response, cancellationToken);
            }

            var target = Redirect.Resolve(address, locations.ToString());
            if (!Redirect.IsSameSite(address, target))
            {
                return new Page(address, response.StatusCode, null, [], target);
            }

            if (redirects == MaxRedirects)
            {
                throw new WorkspaceException(
                    ToolErrors.FetchFailed,
                    $"{PageAddress.Shown(address.AbsoluteUri)} redirects more than {MaxRedirects} times: fetch another address."
                );
            }

            address = target;
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpMessageInvoker http,
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException failed)
        {
            throw failed.InnerException as WorkspaceException ?? Failed(request.RequestUri!, failed);
        }
    }

    private static async Task<Page> ReadAsync(Uri address, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentEncoding.LastOrDefault() is { } unknown)
        {
            throw new WorkspaceException(
                ToolErrors.FetchFailed,
                $"{PageAddress.Shown(address.AbsoluteUri)} is compressed as '{PageAddress.Shown(unknown)}', which cannot be read here: fetch another form of it."
            );
        }

        var body = new MemoryStream();
        try
        {
            await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[64 * 1024];
            for (int read; (read = await content.ReadAsync(buffer, cancellationToken)) > 0; )
            {
                if (body.Length + read > MaxBytes)
                {
                    throw new WorkspaceException(
                        ToolErrors.FetchFailed,
                        $"{PageAddress.Shown(address.AbsoluteUri)} is larger than 10 MiB: fetch a smaller part of it, or download it with a command."
                    );
                }

                body.Write(buffer, 0, read);
            }
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or InvalidDataException)
        {
            throw Failed(address, broken);
        }

        return new Page(address, response.StatusCode, response.Content.Headers.ContentType, body.ToArray(), null);
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint wanted, CancellationToken cancellationToken)
    {
        var host = wanted.Host.Trim('[', ']');
        var answers = IPAddress.TryParse(host, out var literal) ? [literal] : await network.ResolveAsync(host, cancellationToken);
        IPAddress[] judged = [.. answers.Where(PublicAddresses.Contains).Take(MaxAddresses)];
        if (judged is [])
        {
            throw PageAddress.Refused(wanted.Host, "the name leads to no public address");
        }

        for (var index = 0; ; index++)
        {
            try
            {
                return await network.ConnectAsync(new IPEndPoint(judged[index], wanted.Port), cancellationToken);
            }
            catch (SocketException) when (index + 1 < judged.Length)
            {
                // The next address may answer; the last one's failure is told.
            }
        }
    }

    private static WorkspaceException Failed(Uri address, Exception failure) =>
        new(
            ToolErrors.FetchFailed,
            $"{PageAddress.Shown(address.AbsoluteUri)} could not be fetched: {TerminalText.EscapeLine(failure.Message)}",
            failure
        );
}

/// <summary>What came back. <paramref name="Elsewhere"/> is set where the address leads to another host, which was not asked.</summary>
internal sealed record Page(
    Uri Address,
    HttpStatusCode Status,
    System.Net.Http.Headers.MediaTypeHeaderValue? ContentType,
    byte[] Body,
    Uri? Elsewhere
);

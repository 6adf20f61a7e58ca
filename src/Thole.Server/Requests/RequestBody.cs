using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Thole.Server.Requests;

/// <summary>Reads a body once, whole, and no further than the limit.</summary>
internal static class RequestBody
{
    private const long Mega = 1024 * 1024;
    private const int FirstPortion = 16 * 1024;
    private const int LargestGuess = 1024 * 1024;

    /// <summary>
    /// What is read past the limit and thrown away, for some seconds at most: ordinary clients send first and listen then, and would
    /// find the connection broken in place of the answer.
    /// </summary>
    public const long Discarded = 32 * 1024 * 1024;

    public static bool IsPresent(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    /// <summary>Bodies are <c>application/json</c> in UTF-8: a page elsewhere cannot send that without being asked whether it may.</summary>
    public static void Prepare(HttpContext context, Operation operation)
    {
        if (operation.RawBodyLimit is { } limit)
        {
            context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = limit + Discarded;
            return;
        }

        var told = context.Request.Headers.ContentType;
        if (told.Count == 0 && !IsPresent(context))
        {
            return;
        }

        if (told is not [{ } text] || !IsJson(text) || context.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new ProblemException(
                415,
                "unsupported_media_type",
                "The request body must be JSON: send Content-Type: application/json."
            );
        }
    }

    /// <exception cref="ProblemException">It is longer than the limit, or says that it is.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        HttpRequest request,
        long limit,
        CancellationToken cancellationToken
    )
    {
        if (!IsPresent(request.HttpContext))
        {
            return default;
        }

        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        // What a client says of its length is a guess until it has sent it.
        var content = new ArrayBufferWriter<byte>((int)Math.Clamp(request.ContentLength + 1 ?? FirstPortion, 256, LargestGuess));
        while (true)
        {
            var count = await request.Body.ReadAsync(content.GetMemory(256), cancellationToken);
            if (count == 0)
            {
                return content.WrittenMemory;
            }

            content.Advance(count);
            if (content.WrittenCount > limit)
            {
                throw TooLarge(limit);
            }
        }
    }

    public static ProblemException TooLarge(long limit) =>
        new(
            413,
            "body_too_large",
            $"Request body too large (max {(limit < Mega ? $"{limit} bytes" : $"{limit / Mega} MB")})",
            ("maxBytes", limit)
        )
        {
            ClosesConnection = true,
        };

    private static bool IsJson(string text) =>
        MediaTypeHeaderValue.TryParse(text, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && type.Parameters.All(parameter =>
            parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
            && HeaderUtilities.RemoveQuotes(parameter.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        );
}

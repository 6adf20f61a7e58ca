using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Thole.Server.Requests;

/// <summary>Reads a body once, whole, and no further than the limit.</summary>
internal static class RequestBody
{
    private const int FirstPortion = 16 * 1024;
    private const int LargestGuess = 1024 * 1024;

    public static bool IsPresent(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    /// <summary>Bodies are <c>application/json</c> in UTF-8: a page elsewhere cannot send that without being asked whether it may.</summary>
    public static void Prepare(HttpContext context, Operation operation)
    {
        if (operation.RawBodyLimit is { } limit)
        {
            context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = limit;
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

    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!IsPresent(request.HttpContext))
        {
            return default;
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
        }
    }

    private static bool IsJson(string text) =>
        MediaTypeHeaderValue.TryParse(text, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && type.Parameters.All(parameter =>
            parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
            && HeaderUtilities.RemoveQuotes(parameter.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        );
}

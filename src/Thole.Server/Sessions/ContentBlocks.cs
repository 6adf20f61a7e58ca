using System.Text.Json;
using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>The content blocks of the Agent Client Protocol in our words. Images, sounds and documents become blobs of the session.</summary>
internal static class ContentBlocks
{
    private const int MostBlocks = 256;
    private const int LongestMedia = 8 << 20;

    private static readonly string[] s_imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];
    private static readonly string[] s_soundTypes = ["audio/wav", "audio/mpeg", "audio/mp3"];
    private static readonly string[] s_documentTypes = ["application/pdf"];

    /// <exception cref="ProblemException">The prompt is none; the message says which block and why.</exception>
    public static async ValueTask<IReadOnlyList<Content>> ReadAsync(
        JsonElement? prompt,
        Func<ReadOnlyMemory<byte>, ValueTask<BlobId>> storeAsync
    )
    {
        if (prompt is not { ValueKind: JsonValueKind.Array } blocks || blocks.GetArrayLength() == 0)
        {
            throw Wrong("`prompt` is required and must be a non-empty array of content blocks");
        }

        if (blocks.GetArrayLength() > MostBlocks)
        {
            throw Wrong($"`prompt` has at most {MostBlocks} content blocks");
        }

        List<Content> content = [];
        foreach (var block in blocks.EnumerateArray())
        {
            if (block.ValueKind is not JsonValueKind.Object)
            {
                throw Wrong("each `prompt` element must be an object (content block)");
            }

            content.Add(await ReadBlockAsync(block, storeAsync));
        }

        return content;
    }

    private static async ValueTask<Content> ReadBlockAsync(
        JsonElement block,
        Func<ReadOnlyMemory<byte>, ValueTask<BlobId>> storeAsync
    )
    {
        switch (Text(block, "type"))
        {
            case "text" when Text(block, "text") is { } text:
                return new TextContent(text);
            case "image" when Text(block, "data") is { } data && Text(block, "mimeType") is { } type:
                return new ImageContent(type, await storeAsync(ReadMedia(data, type, s_imageTypes, "an image")));
            case "audio" when Text(block, "data") is { } data && Text(block, "mimeType") is { } type:
                return new FileContent(type, await storeAsync(ReadMedia(data, type, s_soundTypes, "a sound")));
            case "resource_link" when Text(block, "uri") is { } uri:
                return new TextContent($"@{uri}");
            case "resource"
                when block.TryGetProperty("resource", out var resource)
                    && resource.ValueKind is JsonValueKind.Object
                    && Text(resource, "text") is { } embedded:
                return new TextContent($"Content of {Text(resource, "uri") ?? "a resource"}:\n\n{embedded}");
            case "resource"
                when block.TryGetProperty("resource", out var resource)
                    && resource.ValueKind is JsonValueKind.Object
                    && Text(resource, "blob") is { } data
                    && Text(resource, "mimeType") is { } type:
                return s_imageTypes.Contains(type, StringComparer.Ordinal)
                    ? new ImageContent(type, await storeAsync(ReadMedia(data, type, s_imageTypes, "an image")))
                    : new FileContent(
                        type,
                        await storeAsync(ReadMedia(data, type, [.. s_documentTypes, .. s_soundTypes], "an embedded file")),
                        NameOf(Text(resource, "uri"))
                    );
            case "text" or "image" or "audio" or "resource_link" or "resource":
                throw Wrong($"a content block of type \"{Text(block, "type")}\" lacks a member, or has one of the wrong type");
            default:
                throw Wrong("a content block has a `type` of text, image, audio, resource or resource_link");
        }
    }

    private static byte[] ReadMedia(string data, string type, IReadOnlyList<string> types, string what)
    {
        if (!types.Contains(type, StringComparer.Ordinal))
        {
            throw Wrong($"{what} is one of {string.Join(", ", types)}");
        }

        // Four characters of Base64 are three bytes.
        if (data.Length > LongestMedia / 3 * 4 + 4)
        {
            throw new ProblemException(
                413,
                what is "an image" ? "image_too_large" : "file_too_large",
                $"{what} has at most {LongestMedia >> 20} MiB"
            );
        }

        try
        {
            return Convert.FromBase64String(data);
        }
        catch (FormatException)
        {
            throw Wrong($"the bytes of {what} must be Base64");
        }
    }

    /// <summary>The last part of an address, without what could be mistaken for a path.</summary>
    private static string? NameOf(string? uri) =>
        uri is null ? null
        : uri[(uri.LastIndexOfAny(['/', '\\']) + 1)..] is { Length: > 0 and <= 255 } name ? name
        : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static ProblemException Wrong(string message) => new(400, "invalid_prompt", message);
}

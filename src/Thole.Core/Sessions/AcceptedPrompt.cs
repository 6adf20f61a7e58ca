using System.Security.Cryptography;
using System.Text.Json;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// A prompt that was accepted: <paramref name="Sequence"/> is the number of its first event, <paramref name="Said"/> a digest of its
/// content, so that one sent again is told from another of the same id.
/// </summary>
internal sealed record AcceptedPrompt(long Sequence, string Said)
{
    public static string Digest(IReadOnlyList<Content> content) =>
        Convert.ToHexStringLower(
            SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(content, ProtocolJson.Default.IReadOnlyListContent)).AsSpan(0, 16)
        );
}

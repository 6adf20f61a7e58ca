using System.Text;

namespace Thole.Providers;

/// <summary>
/// By what right a provider is asked. Knows where the key belongs, so that sentences can say what to set, and takes the key out
/// of everything that comes back. It never says the key itself.
/// </summary>
/// <param name="Variable">The environment variable in which people keep the key.</param>
public sealed class Credential(string variable, string? key, IEnumerable<string>? otherSecrets = null)
{
    private const string Mask = "***";

    // Shorter ones are words like "key": hiding them would garble sentences and protect nobody.
    private const int ShortestSecret = 4;

    private readonly string? _key = string.IsNullOrWhiteSpace(key) ? null : key.Trim();
    private readonly string[] _secrets =
    [
        .. new[] { key?.Trim() }
            .Concat(otherSecrets ?? [])
            .OfType<string>()
            .Where(secret => secret.Length >= ShortestSecret)
            .OrderByDescending(secret => secret.Length),
    ];

    public string Variable { get; } = variable;

    /// <summary>Whether it is the one that <c>thole auth</c> keeps, and no variable or setting.</summary>
    public bool IsStored { get; init; }

    public bool IsPresent => _key is not null;

    /// <summary>Whether the key can stand in a header at all: a pasted line break cannot.</summary>
    public bool IsWellFormed => _key is null || _key.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    internal string? Key => _key;

    public string Hide(string text)
    {
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>Overwrites the secrets in place, also those that the bytes begin or end in the middle of.</summary>
    public void Hide(Span<byte> bytes)
    {
        foreach (var secret in _secrets)
        {
            ReadOnlySpan<byte> hidden = Encoding.UTF8.GetBytes(secret);
            var rest = bytes;
            for (var at = rest.IndexOf(hidden); at >= 0; at = rest.IndexOf(hidden))
            {
                rest.Slice(at, hidden.Length).Fill((byte)'*');
                rest = rest[(at + hidden.Length)..];
            }

            for (var length = Math.Min(hidden.Length - 1, bytes.Length); length >= ShortestSecret; length--)
            {
                if (bytes.EndsWith(hidden[..length]))
                {
                    bytes[^length..].Fill((byte)'*');
                }

                if (bytes.StartsWith(hidden[^length..]))
                {
                    bytes[..length].Fill((byte)'*');
                }
            }
        }
    }

    public override string ToString() => $"{Variable} ({(IsPresent ? "set" : "not set")})";
}

using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Access;

/// <summary>
/// The tokens that were issued: what each may do, and the hash of each, never the token. Any process of ours may change the file; a
/// running daemon sees it.
/// </summary>
public sealed class TokenFile(string folder, TimeProvider time)
{
    public const string Prefix = "thole_";

    private static readonly SearchValues<char> s_nameLetters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    );

    /// <summary>Names that events give to somebody else: a token must not speak as one of them.</summary>
    private static readonly string[] s_taken = ["owner", "anonymous", "user", "model", "tool", "runtime"];

    internal StateFile File { get; } = new(Path.Join(folder, "tokens.json"), time);

    /// <summary>All there are, expired ones too, oldest first.</summary>
    /// <exception cref="WorkspaceException">The file cannot be read or is not to be believed.</exception>
    public IReadOnlyList<IssuedToken> List() => Parse(File.Read());

    /// <summary>Returns the token, which is kept nowhere: whoever asked keeps it.</summary>
    /// <exception cref="RefusedException">The name is none, or is taken.</exception>
    public async Task<string> IssueAsync(string name, Scope scopes, TimeSpan? lifetime, CancellationToken cancellationToken)
    {
        CheckName(name);
        if (scopes is Scope.None)
        {
            throw new RefusedException(
                "scope_missing",
                $"A token needs at least one scope: {string.Join(", ", ScopeWords.All)}."
            );
        }

        var token = NewToken();
        await File.UpdateAsync(
            content =>
            {
                var now = time.GetUtcNow();
                var tokens = Parse(content);
                if (tokens.FirstOrDefault(other => other.Name == name) is { } old && !old.IsExpired(now))
                {
                    throw new RefusedException(
                        "token_exists",
                        $"There is a token called '{name}' already; revoke it first, or choose another name."
                    );
                }

                var issued = new IssuedToken(name, ScopeWords.Of(scopes), Hash(token), now, now + lifetime);
                return Format([.. tokens.Where(other => other.Name != name), issued]);
            },
            cancellationToken
        );
        return token;
    }

    /// <exception cref="RefusedException">There is none of that name.</exception>
    public Task RevokeAsync(string name, CancellationToken cancellationToken) =>
        File.UpdateAsync(
            content =>
            {
                var tokens = Parse(content);
                return tokens.Any(token => token.Name == name)
                    ? Format([.. tokens.Where(token => token.Name != name)])
                    : throw new RefusedException(
                        "token_not_found",
                        $"There is no token called '{TerminalText.EscapeLine(name)}'; 'thole token list' shows those there are."
                    );
            },
            cancellationToken
        );

    /// <summary>256 random bits, with a beginning by which scanners for leaked secrets know them.</summary>
    internal static string NewToken() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    internal static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    internal IReadOnlyList<IssuedToken> Parse(byte[]? content)
    {
        if (content is null)
        {
            return [];
        }

        try
        {
            return JsonSerializer.Deserialize(content, TokenFileJson.Default.TokenDocument)!.Tokens;
        }
        catch (JsonException wrong)
        {
            throw new WorkspaceException(
                ToolErrors.ReadFailed,
                $"{File.Path} holds no tokens that can be read; move it away, and issue them anew.",
                wrong
            );
        }
    }

    private static byte[] Format(IReadOnlyList<IssuedToken> tokens) =>
        JsonSerializer.SerializeToUtf8Bytes(new TokenDocument(tokens), TokenFileJson.Default.TokenDocument);

    private static void CheckName(string name)
    {
        if (name is not { Length: > 0 and <= 64 } || name.AsSpan().ContainsAnyExcept(s_nameLetters))
        {
            throw new RefusedException(
                "token_name_invalid",
                "A token's name has letters, digits, '.', '_' and '-' only, 64 at most."
            );
        }

        if (s_taken.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new RefusedException("token_name_invalid", $"'{name}' is a name that we use ourselves; choose another.");
        }
    }
}

/// <summary>One that was issued, without the token itself.</summary>
public sealed record IssuedToken(
    string Name,
    IReadOnlyList<string> Scopes,
    string Sha256,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt = null
)
{
    public bool IsExpired(DateTimeOffset now) => now >= ExpiresAt;

    internal Identity Identity =>
        new(Name, Scopes.Aggregate(Scope.None, (scopes, word) => scopes | ScopeWords.Parse(word))) { Key = Sha256 };
}

internal sealed record TokenDocument(IReadOnlyList<IssuedToken> Tokens);

/// <summary>The form of the file.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(TokenDocument))]
internal sealed partial class TokenFileJson : JsonSerializerContext;

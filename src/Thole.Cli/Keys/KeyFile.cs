using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Cli.Keys;

/// <summary>
/// For which providers a key is kept, and the keys that are in no keyring. Beside the user's settings, readable by nobody else,
/// and so cheap to look at that every start may.
/// </summary>
internal sealed class KeyFile(string folder, TimeProvider time)
{
    private const int Version = 1;

    private readonly StateFile _file = new(System.IO.Path.Join(folder, "keys.json"), time);

    public string Path => _file.Path;

    /// <summary>By the name of the provider.</summary>
    /// <exception cref="WorkspaceException">The file cannot be read, or is not to be believed.</exception>
    public IReadOnlyDictionary<string, KeptKey> Read() => Parse(_file.HasFolder ? _file.Read() : null);

    /// <summary>Equal stamps: the same keys.</summary>
    public StateStamp Stamp() => _file.HasFolder ? _file.Stamp() : default;

    public Task SetAsync(string provider, KeptKey kept, CancellationToken cancellationToken) =>
        _file.UpdateAsync(
            content => Format(new(Parse(content), StringComparer.Ordinal) { [provider] = kept }),
            cancellationToken
        );

    public Task RemoveAsync(string provider, CancellationToken cancellationToken) =>
        _file.UpdateAsync(
            content =>
            {
                var keys = new Dictionary<string, KeptKey>(Parse(content), StringComparer.Ordinal);
                return keys.Remove(provider) ? Format(keys) : null;
            },
            cancellationToken
        );

    private IReadOnlyDictionary<string, KeptKey> Parse(byte[]? content)
    {
        if (content is null)
        {
            return new Dictionary<string, KeptKey>(StringComparer.Ordinal);
        }

        KeyDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(content, KeyFileJson.Default.KeyDocument);
        }
        catch (JsonException wrong)
        {
            // Not the exception's own words: they may quote what stands in the file.
            throw Unusable("holds no keys that can be read", wrong);
        }

        return document is null || document.Keys.Values.Any(static kept => kept is null)
                ? throw Unusable("holds no keys that can be read")
            : document.Version == Version ? document.Keys
            : throw Unusable("was written by another version of thole");
    }

    private WorkspaceException Unusable(string why, Exception? inner = null) =>
        new(ToolErrors.ReadFailed, $"{Path} {why}; move it away, and store the keys anew with 'thole auth'.", inner);

    private static byte[] Format(Dictionary<string, KeptKey> keys) =>
        JsonSerializer.SerializeToUtf8Bytes(new KeyDocument(Version, keys), KeyFileJson.Default.KeyDocument);
}

/// <summary>A key that is kept.</summary>
/// <param name="Key">Null where the system's keyring has it.</param>
internal sealed record KeptKey(string? Key = null)
{
    [JsonIgnore]
    public bool IsInKeyring => Key is null;

    /// <summary>A key is a secret: this does not say it.</summary>
    public override string ToString() => IsInKeyring ? "in the keyring" : "in the file";
}

internal sealed record KeyDocument(int Version, IReadOnlyDictionary<string, KeptKey> Keys);

/// <summary>The form of the file.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(KeyDocument))]
internal sealed partial class KeyFileJson : JsonSerializerContext;

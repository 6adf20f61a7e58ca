using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Providers.OpenAI;
using Thole.Providers.Probing;
using Thole.Providers.TextCalls;

namespace Thole.Cli.Profiles;

/// <summary>What tests found of endpoints, a file for each model. One that cannot be used is passed over, and that is said once.</summary>
/// <param name="warn">Is told which one was passed over, and why.</param>
internal sealed class ProfileFolder(string folder, TimeProvider time, Action<string> warn)
{
    private const int Version = 1;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);

    public string PathOf(ProfilePlace place) =>
        Path.Join(folder, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place.ToString())))[..24]}.json");

    /// <summary>Null where the model was not tested there, or what is kept cannot be used.</summary>
    public ModelProfile? Read(ProfilePlace place)
    {
        var path = PathOf(place);
        var file = new StateFile(path, time);
        if (!file.HasFolder)
        {
            return null; // most people never tested a model; and where state cannot be kept at all, others say so
        }

        try
        {
            if (file.Read() is not { } content)
            {
                return null;
            }

            var document =
                JsonSerializer.Deserialize(content, ProfileJson.Default.ProfileDocument) ?? throw new FormatException();
            if (document.Version == Version && document.Endpoint == place.ToString())
            {
                return Read(document);
            }

            Warn(path, "it is of another version, or of another endpoint");
        }
        catch (Exception unusable) when (unusable is JsonException or FormatException)
        {
            Warn(path, "it is damaged");
        }
        catch (WorkspaceException unreadable)
        {
            Warn(path, unreadable.Message.TrimEnd('.'));
        }

        return null;
    }

    /// <exception cref="WorkspaceException">It could not be written.</exception>
    public async Task WriteAsync(ProfilePlace place, ModelProfile profile, CancellationToken cancellationToken)
    {
        var document = new ProfileDocument(
            Version,
            place.ToString(),
            profile.TestedAt,
            [.. profile.Rows.Select(static row => new ProfileRow(row.Name, row.Outcome.ToString(), row.Detail))],
            profile.TextCalls is { } format ? TextCallFormats.WordOf(format) : null,
            profile.ThinksInText,
            profile.TakesImages,
            profile.Repairs?.Echo?.ToString(),
            profile.Repairs?.AsksForUsage,
            profile.Repairs?.OutputLimitField
        );
        var content = JsonSerializer.SerializeToUtf8Bytes(document, ProfileJson.Default.ProfileDocument);
        var path = PathOf(place);
        await new StateFile(path, time).UpdateAsync(_ => content, cancellationToken);
    }

    private static ModelProfile Read(ProfileDocument document)
    {
        var repairs = new ChatRepairs(
            document.ReasoningEcho is { } echo ? Word<ReasoningEcho>(echo) : null,
            document.AsksForUsage,
            document.OutputLimitField is not { } field ? null
                : ChatRepairs.OutputLimitFields.Contains(field, StringComparer.Ordinal) ? field
                : throw new FormatException()
        );
        return new ModelProfile
        {
            TestedAt = document.TestedAt,
            TextCalls = document.TextCalls is { } word ? TextCallFormats.Find(word) ?? throw new FormatException() : null,
            ThinksInText = document.ThinksInText,
            TakesImages = document.TakesImages,
            Repairs = repairs == new ChatRepairs() ? null : repairs,
            Rows =
            [
                .. document.Rows.Select(static row =>
                    row is null
                        ? throw new FormatException()
                        : new ProbeRow(row.Name, Word<ProbeOutcome>(row.Outcome), row.Detail)
                ),
            ],
        };
    }

    private static T Word<T>(string word)
        where T : struct, Enum =>
        Enum.TryParse<T>(word, out var known) && Enum.IsDefined(known) ? known : throw new FormatException();

    private void Warn(string path, string why)
    {
        lock (_lock)
        {
            if (!_warned.Add(path))
            {
                return;
            }
        }

        warn($"The profile {path} was passed over, since {why}; test the model again with 'thole models test'.");
    }
}

internal sealed record ProfileRow(string Name, string Outcome, string Detail);

internal sealed record ProfileDocument(
    int Version,
    string Endpoint,
    DateTimeOffset TestedAt,
    IReadOnlyList<ProfileRow> Rows,
    string? TextCalls = null,
    bool? ThinksInText = null,
    bool? TakesImages = null,
    string? ReasoningEcho = null,
    bool? AsksForUsage = null,
    string? OutputLimitField = null
);

/// <summary>The form of the files.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(ProfileDocument))]
internal sealed partial class ProfileJson : JsonSerializerContext;

using System.Text.Json;
using Thole.Protocol;

namespace Thole.Core.Models;

/// <summary>
/// One model behind one provider. Failures of the request are thrown as <see cref="ModelException"/>; the stream ends with
/// exactly one <see cref="ModelFinished"/>. A stream that just stops is a failure, never an end.
/// Behaviour is added by wrapping: a model in, a model out.
/// </summary>
public interface IModel
{
    IAsyncEnumerable<ModelEvent> StreamAsync(ModelRequest request, CancellationToken cancellationToken);
}

/// <summary>All that a provider is sent. Stable from step to step except at its end, so that prompt caches hold.</summary>
public sealed record ModelRequest
{
    /// <summary>The model's name at its provider, without the provider's own prefix.</summary>
    public required string Model { get; init; }

    public required string System { get; init; }

    public required IReadOnlyList<ContextItem> Items { get; init; }

    public required IReadOnlyList<ToolDefinition> Tools { get; init; }

    /// <summary>Names the session to the provider's cache; nothing that identifies a person.</summary>
    public string? CacheKey { get; init; }

    /// <summary>Who pays; no provider is told.</summary>
    public Account? Account { get; init; }

    /// <summary>By blob, what media show in words, for models that do not take them.</summary>
    public IReadOnlyDictionary<string, string> Descriptions { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where the images that items name are read.</summary>
    public required Func<BlobId, CancellationToken, ValueTask<byte[]?>> ReadBlob { get; init; }
}

/// <summary>What a model is told about a tool. <paramref name="Schema"/> is JSON Schema as compact text, sent as it stands.</summary>
public sealed record ToolDefinition(string Name, string Description, string Schema);

/// <summary>What a model says while it thinks.</summary>
public abstract record ModelEvent;

public sealed record TextDelta(string Text) : ModelEvent;

public sealed record ReasoningDelta(string Text) : ModelEvent;

/// <summary>
/// A finished call. <paramref name="Arguments"/> is the text as it came. <paramref name="Problem"/> is set where the call must not
/// run whatever it says (no name, conflicting ids, cut by the output limit): the model is told so.
/// </summary>
public sealed record CallProposed(string? ProviderId, string Name, string Arguments, string? Problem = null) : ModelEvent;

/// <summary>
/// The attempt failed and is made again after <paramref name="RetryIn"/>: everything said since the request began is void.
/// Told by the retrying wrapper; a model itself throws.
/// </summary>
public sealed record AttemptVoided(ModelException Failure, int Attempt, TimeSpan RetryIn) : ModelEvent
{
    /// <summary><c>provider/model</c> of who is asked next, where it is another one.</summary>
    public string? Next { get; init; }
}

/// <summary>The model has said all of this step.</summary>
public sealed record ModelFinished(StopReason Stop, Usage Usage, JsonElement? ProviderData = null) : ModelEvent;

public enum StopReason
{
    /// <summary>It has nothing more to say, or waits for its calls.</summary>
    Done,

    /// <summary>The output limit cut it: its last call, if any, is not whole.</summary>
    OutputLimit,

    /// <summary>The provider's filter cut it.</summary>
    Filtered,
}

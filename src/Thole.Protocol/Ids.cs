using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Names a session: a random UUID, given by us before any provider sees it, never by order or guess.</summary>
[JsonConverter(typeof(IdConverter<SessionId>))]
public readonly record struct SessionId(string Value) : IId<SessionId>
{
    public static SessionId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Names a prompt; given by the client or by its door, so that a prompt sent twice is known as one.</summary>
[JsonConverter(typeof(IdConverter<PromptId>))]
public readonly record struct PromptId(string Value) : IId<PromptId>
{
    public static PromptId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Names a turn; an interrupt carries it, so that it can never hit the next one.</summary>
[JsonConverter(typeof(IdConverter<TurnId>))]
public readonly record struct TurnId(string Value) : IId<TurnId>
{
    public static TurnId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Names a tool call within its session; ours, not the provider's, whose ids may repeat.</summary>
[JsonConverter(typeof(IdConverter<CallId>))]
public readonly record struct CallId(string Value) : IId<CallId>
{
    public static CallId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Names bytes kept beside the events of a session: the SHA-256 of the content, 64 lower-case hex digits.</summary>
[JsonConverter(typeof(IdConverter<BlobId>))]
public readonly record struct BlobId(string Value) : IId<BlobId>
{
    public static BlobId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>
/// Who did it: <c>user</c>, <c>model</c>, <c>tool</c>, <c>runtime</c>, or the identity that a client's token proves. One
/// identity may have several clients: <c>identity/client</c>.
/// </summary>
[JsonConverter(typeof(IdConverter<Actor>))]
public readonly record struct Actor(string Value) : IId<Actor>
{
    public static Actor User { get; } = new("user");
    public static Actor Model { get; } = new("model");
    public static Actor Tool { get; } = new("tool");
    public static Actor Runtime { get; } = new("runtime");

    /// <summary>Whose token it was; votes are counted by it.</summary>
    [JsonIgnore]
    public string Identity => Value.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? Value[..end] : Value;

    /// <summary>Which of the identity's clients; null where it did not say.</summary>
    [JsonIgnore]
    public string? Client => Value.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? Value[(end + 1)..] : null;

    public static Actor From(string value) => new(value);

    public static Actor Of(string identity, string? client) => new(client is null ? identity : $"{identity}/{client}");

    public override string ToString() => Value;
}

/// <summary>An opaque name. On the wire an id is a bare string.</summary>
public interface IId<TSelf>
    where TSelf : struct, IId<TSelf>
{
    string Value { get; }

    static abstract TSelf From(string value);
}

/// <summary>Writes an id as the bare string that it is, as a value and as a dictionary key.</summary>
public sealed class IdConverter<T> : JsonConverter<T>, IJsonText
    where T : struct, IId<T>
{
    public IReadOnlyList<string> Words => [];

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString() ?? throw new JsonException("An id is never null."));

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString()!);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Value);
}

using System.Buffers;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Writes events as rows and reads them back, those of older versions through their upgrades.</summary>
internal sealed class EventCodec(IReadOnlyList<EventUpgrade> upgrades)
{
    // Rows are read by us and by people with the sqlite3 tool, never by a browser: text stays as it was written.
    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<Type, string> _names = new(Kinds);
    private readonly Dictionary<string, Type> _types = Kinds.ToDictionary(
        kind => kind.Value,
        kind => kind.Key,
        StringComparer.Ordinal
    );

    /// <summary>The kinds of events and their names, as <see cref="SessionEvent"/> declares them.</summary>
    // Not from the serializer's own list of them: to hand it out, it would first prepare all kinds, and a short run writes nine.
    public static IEnumerable<KeyValuePair<Type, string>> Kinds =>
        typeof(SessionEvent)
            .GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false)
            .Select(kind => KeyValuePair.Create(kind.DerivedType, (string)kind.TypeDiscriminator!));

    /// <summary>The row of an event, chained to the hash before it.</summary>
    /// <exception cref="ArgumentException">The event is of a kind that only a newer version can write.</exception>
    public EventRow Encode(Envelope envelope, ReadOnlySpan<byte> previous)
    {
        var happened = envelope.Event;
        if (!_names.TryGetValue(happened.GetType(), out var name))
        {
            throw new ArgumentException(
                $"A {happened.GetType().Name} is read from logs and never written to one.",
                nameof(envelope)
            );
        }

        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, s_writing))
        {
            JsonSerializer.Serialize(writer, happened, ProtocolJson.Default.GetTypeInfo(happened.GetType())!);
        }

        var row = new EventRow(
            envelope.Sequence,
            envelope.At.UtcTicks,
            name,
            CurrentVersion(name),
            envelope.Actor.Value,
            buffer.WrittenSpan.ToArray(),
            Hash: []
        );
        return row with { Hash = row.ComputeHash(previous) };
    }

    public Envelope Decode(EventRow row) =>
        new(row.Number, new DateTimeOffset(row.At, TimeSpan.Zero), new Actor(row.Actor), DecodeEvent(row));

    private SessionEvent DecodeEvent(EventRow row)
    {
        if (!_types.TryGetValue(row.Type, out var type) || row.Version > CurrentVersion(row.Type))
        {
            return Unknown(row);
        }

        try
        {
            var json = ProtocolJson.Default.GetTypeInfo(type)!;
            return row.Version == CurrentVersion(row.Type)
                ? (SessionEvent)JsonSerializer.Deserialize(row.Payload, json)!
                : (SessionEvent)Upgrade(row).Deserialize(json)!;
        }
        catch (JsonException)
        {
            // The chain says that these bytes are what was written: one event that cannot be read costs itself, not the session.
            return Unknown(row);
        }
    }

    private JsonObject Upgrade(EventRow row)
    {
        var json = JsonNode.Parse(row.Payload) as JsonObject ?? throw new JsonException("An event is a JSON object.");
        for (var version = row.Version; version < CurrentVersion(row.Type); version++)
        {
            json = upgrades
                .First(upgrade => string.Equals(upgrade.Type, row.Type, StringComparison.Ordinal) && upgrade.From == version)
                .Upgrade(json);
        }

        return json;
    }

    private int CurrentVersion(string type)
    {
        var version = 1;
        foreach (var upgrade in upgrades)
        {
            version = string.Equals(upgrade.Type, type, StringComparison.Ordinal) ? upgrade.From + 1 : version;
        }

        return version;
    }

    private static UnknownEvent Unknown(EventRow row)
    {
        try
        {
            using var document = JsonDocument.Parse(row.Payload);
            return new UnknownEvent(row.Type, row.Version, document.RootElement.Clone());
        }
        catch (JsonException)
        {
            var text = JsonValue.Create(Convert.ToBase64String(row.Payload));
            using var document = JsonDocument.Parse(text.ToJsonString());
            return new UnknownEvent(row.Type, row.Version, document.RootElement.Clone());
        }
    }
}

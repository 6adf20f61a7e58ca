using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>The one JSON form of everything that is said: in logs, exports and on the wire.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(SessionEvent))]
[JsonSerializable(typeof(Envelope))]
[JsonSerializable(typeof(SessionSummary))]
[JsonSerializable(typeof(IReadOnlyList<SessionSummary>))]
[JsonSerializable(typeof(IReadOnlyList<SearchHit>))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(OpenSession))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(SessionStatus))]
[JsonSerializable(typeof(IReadOnlyList<Content>))]
public sealed partial class ProtocolJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Sessions;

namespace Thole.Core;

/// <summary>The form of snapshots. They are a shortcut: a form that no longer fits is passed over and made anew from the log.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SessionState))]
internal sealed partial class CoreJson : JsonSerializerContext;

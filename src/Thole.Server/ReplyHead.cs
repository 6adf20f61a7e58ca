using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Thole.Server;

/// <summary>
/// Members that every reply of an operation begins with: what kind of reply it is, which workspace it is about. Clients of the protocol
/// expect them; what answers the question behind the door does not know of them.
/// </summary>
internal sealed class ReplyHead
{
    private readonly ReplyMember[] _members;

    // Without the braces around it.
    private readonly byte[] _json;

    public ReplyHead(params ReplyMember[] members)
    {
        _members = members;
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Json(member => member.Value.DeepClone()).WriteTo(writer);
        }

        _json = buffer.WrittenSpan[1..^1].ToArray();
    }

    /// <param name="reply">A JSON object.</param>
    public byte[] Before(ReadOnlySpan<byte> reply) =>
        reply is [(byte)'{', (byte)'}'] ? [(byte)'{', .. _json, (byte)'}'] : [(byte)'{', .. _json, (byte)',', .. reply[1..]];

    public JsonObject Schema() =>
        new()
        {
            ["type"] = "object",
            ["required"] = new JsonArray([.. _members.Select(member => (JsonNode)member.Name)]),
            ["properties"] = Json(member =>
                member.IsConstant
                    ? new JsonObject { ["const"] = member.Value.DeepClone() }
                    : new JsonObject { ["type"] = member.Value.GetValueKind() is JsonValueKind.String ? "string" : "boolean" }
            ),
        };

    private JsonObject Json(Func<ReplyMember, JsonNode> value) =>
        new(_members.Select(member => KeyValuePair.Create(member.Name, (JsonNode?)value(member))));
}

/// <param name="IsConstant">The same in every daemon, and told by the document; else only its type is.</param>
internal sealed record ReplyMember(string Name, JsonNode Value, bool IsConstant = true);

using System.Text.Json;

namespace Thole.Server.Requests;

/// <summary>Looks for what a body asks for and an operation does not do.</summary>
internal static class UnsupportedMembers
{
    /// <param name="json">Read before, and found to be JSON.</param>
    /// <param name="members">By their names, in any case, as other members are read.</param>
    /// <exception cref="ProblemException"><c>unsupported_field</c>.</exception>
    public static void Check(ReadOnlySpan<byte> json, IReadOnlyList<UnsupportedMember> members)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
        if (json.IsEmpty || !reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
        {
            return;
        }

        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (
                reader.TokenType is not (JsonTokenType.Null or JsonTokenType.False)
                && members.FirstOrDefault(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase))
                    is { } member
            )
            {
                throw new ProblemException(400, "unsupported_field", member.Sentence, ("field", member.Name));
            }

            reader.Skip();
        }
    }
}

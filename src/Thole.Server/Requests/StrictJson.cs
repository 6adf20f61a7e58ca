using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Thole.Server.Requests;

/// <summary>
/// JSON as nobody can misunderstand it: UTF-8, no half characters, not deeper and not of more members than a person could have meant.
/// </summary>
internal static class StrictJson
{
    public const int MaxDepth = 64;
    private const int MaxMembers = 20_000;

    /// <exception cref="ProblemException">It is no JSON, or does not fit the type.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        if (!IsValid(json))
        {
            throw Invalid();
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw Unfit("$");
        }
        catch (JsonException wrong)
        {
            // The message of the framework names our types; where it is wrong is what helps.
            throw Unfit(wrong.Path is { Length: > 0 and < 200 } path ? path : "$");
        }
        catch (NotSupportedException)
        {
            throw Unfit("$.type"); // it does not say which of several kinds it is
        }
        catch (InvalidOperationException)
        {
            throw Invalid();
        }
    }

    public static bool IsValid(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            return false;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var members = 0;
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName when ++members > MaxMembers:
                        return false;
                    case JsonTokenType.PropertyName
                    or JsonTokenType.String when reader.ValueIsEscaped && HasHalfCharacter(reader.ValueSpan):
                        return false;
                    default:
                        break;
                }
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A surrogate that is escaped without its other half: no text has it, and no two readers agree on it.</summary>
    private static bool HasHalfCharacter(ReadOnlySpan<byte> escaped)
    {
        var isWaiting = false;
        while (!escaped.IsEmpty)
        {
            var next = escaped.IndexOf((byte)'\\');
            if (next != 0 && isWaiting)
            {
                return true;
            }

            if (next < 0)
            {
                return false;
            }

            escaped = escaped[next..];
            if (escaped[1] != 'u')
            {
                if (isWaiting)
                {
                    return true;
                }

                escaped = escaped[2..];
                continue;
            }

            var isLow = IsD(escaped[2]) && escaped[3] is (>= (byte)'c' and <= (byte)'f') or (>= (byte)'C' and <= (byte)'F');
            var isHigh =
                IsD(escaped[2]) && escaped[3] is (byte)'8' or (byte)'9' or (byte)'a' or (byte)'b' or (byte)'A' or (byte)'B';
            if (isLow != isWaiting)
            {
                return true;
            }

            isWaiting = isHigh;
            escaped = escaped[6..];
        }

        return isWaiting;

        static bool IsD(byte digit) => digit is (byte)'d' or (byte)'D';
    }

    private static ProblemException Invalid() => new(400, "invalid_json", "Invalid JSON in request body");

    private static ProblemException Unfit(string where) =>
        new(400, "invalid_request", $"The request body does not fit at {where}; /openapi.json says what it may hold.");
}

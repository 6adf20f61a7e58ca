using System.Globalization;
using System.Text.Json;

namespace Thole.Providers.Endpoints;

/// <summary>
/// What Google adds to an error in <c>details</c>: a word for the reason, which limits were reached (its sentence is the same for
/// those of a minute and those of a day), and when to come back.
/// </summary>
/// <param name="Words">Reasons and names of limits.</param>
internal readonly record struct ErrorDetails(string Words, TimeSpan? RetryAfter)
{
    // Nobody waits for more than a month, and a time of centuries would overflow.
    private const double Longest = 30 * 24 * 3600;

    public static ErrorDetails Read(JsonElement error)
    {
        List<string?> words = [];
        TimeSpan? retryAfter = null;
        foreach (var detail in All(error.Get("details")))
        {
            words.Add(detail.GetText("reason"));
            words.Add(detail.Get("metadata")?.GetText("quota_limit"));
            words.AddRange(All(detail.Get("violations")).Select(static violation => violation.GetText("quotaId")));
            retryAfter ??= Delay(detail.GetText("retryDelay"));
        }

        return new ErrorDetails(string.Join(' ', words.OfType<string>()), retryAfter);
    }

    /// <summary>A duration as Google writes it: <c>34.07s</c>.</summary>
    private static TimeSpan? Delay(string? text) =>
        text is [.. var number, 's']
        && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && double.IsFinite(seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, Longest))
            : null;

    private static JsonElement.ArrayEnumerator All(JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } known ? known.EnumerateArray() : default;
}

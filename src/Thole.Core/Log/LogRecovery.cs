using System.Text.Json;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Which number comes next after an accident, so that none is ever used twice.</summary>
internal static class LogRecovery
{
    /// <summary>
    /// Numbers that were shown and then lost are fewer than this: a batch that crosses a multiple is synced before it is
    /// shown, so that the next multiple above what survived was never reached.
    /// </summary>
    public const long Stride = 65_536;

    public const string TypeName = "log_recovered";

    public static long NextAfter(long seen) => (seen / Stride + 1) * Stride;

    public static bool Crosses(long first, long last) => first / Stride != last / Stride || first % Stride == 0;

    /// <summary>A gap is right where the event behind it says so, and nowhere else.</summary>
    public static bool Explains(EventRow row, long last)
    {
        if (row.Type is not TypeName || row.Number <= last)
        {
            return false;
        }

        try
        {
            return JsonSerializer.Deserialize(row.Payload, ProtocolJson.Default.LogRecovered)?.After == last;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

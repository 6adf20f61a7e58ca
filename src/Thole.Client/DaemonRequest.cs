namespace Thole.Client;

/// <summary>One thing that is asked of a daemon.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Path">With its query; each part is escaped.</param>
/// <param name="IsHarmless">To ask it twice changes no more than to ask it once, whatever others did in between.</param>
internal sealed record DaemonRequest(HttpMethod Method, string Path, bool IsHarmless)
{
    public ReadOnlyMemory<byte>? Body { get; init; }

    public string MediaType { get; init; } = "application/json";

    public string Accept { get; init; } = "application/json";

    /// <summary>The number of the last event that is known here.</summary>
    public long? After { get; init; }
}

/// <summary>No answer came.</summary>
/// <param name="message">Why, in one sentence.</param>
/// <param name="wasSent">It may have arrived, and been done.</param>
/// <param name="inner">What failed.</param>
internal sealed class NoAnswerException(string message, bool wasSent, Exception? inner = null) : IOException(message, inner)
{
    public bool WasSent { get; } = wasSent;
}

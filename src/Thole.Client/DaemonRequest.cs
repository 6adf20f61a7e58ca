namespace Thole.Client;

/// <summary>One thing that is asked of a daemon.</summary>
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
/// <param name="wasSent">It may have arrived, and been done.</param>
internal sealed class NoAnswerException(string message, bool wasSent, Exception? inner = null) : IOException(message, inner)
{
    public bool WasSent { get; } = wasSent;
}

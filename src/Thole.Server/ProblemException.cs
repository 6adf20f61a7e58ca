namespace Thole.Server;

/// <summary>
/// The answer is an error: <c>{"error": one sentence with the cure, "code": a stable word, …}</c>. A defect is any other exception.
/// </summary>
/// <param name="extras">Further members: text, numbers, booleans and lists of text.</param>
internal sealed class ProblemException(int status, string code, string message, params (string Name, object? Value)[] extras)
    : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public IReadOnlyList<(string Name, object? Value)> Extras { get; } = extras;

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The connection is not to be trusted any further: it is closed after the answer.</summary>
    public bool ClosesConnection { get; init; }
}

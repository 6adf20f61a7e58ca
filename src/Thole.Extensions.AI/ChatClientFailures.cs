using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Extensions.AI;

/// <summary>What a client threw, in the runtime's words: an HTTP status means what it means for every provider.</summary>
internal static class ChatClientFailures
{
    private const int LongestQuote = 300;

    public static ModelException Of(Exception failure) =>
        failure switch
        {
            ModelException known => known,
            HttpRequestException { StatusCode: { } status } => new ModelException(
                ProviderErrors.Classify((int)status, new ProviderComplaint(failure.Message, "")),
                $"The chat client was refused ({(int)status}): {Words(failure.Message)}",
                failure
            ),
            HttpRequestException or IOException or TimeoutException or OperationCanceledException => new ModelException(
                ModelFailure.Network,
                $"The chat client did not reach its model: {Words(failure.Message)}",
                failure
            ),
            // Nobody knows what it is, so to do it again may do it twice for nothing.
            _ => new ModelException(ModelFailure.InvalidRequest, $"The chat client failed: {Words(failure.Message)}", failure),
        };

    public static ModelException OfWords(string? words) =>
        new(
            ProviderErrors.Classify(status: null, new ProviderComplaint(words ?? "", "")),
            $"The chat client broke off its answer with an error: {Words(words ?? "it does not say which.")}"
        );

    private static string Words(string text) => OutsideText.ToLine(text, LongestQuote);
}

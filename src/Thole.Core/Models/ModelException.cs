namespace Thole.Core.Models;

/// <summary>A request to a model that failed. The message is one sentence for a person, with the cure where there is one.</summary>
public sealed class ModelException(ModelFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public ModelFailure Failure { get; } = failure;

    /// <summary>How long the provider asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The bytes of the broken answer, at most 256 KiB, for the report.</summary>
    public ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsRetryable =>
        Failure
            is ModelFailure.RateLimited
                or ModelFailure.Overloaded
                or ModelFailure.Network
                or ModelFailure.StreamCut
                or ModelFailure.StreamIdle
                or ModelFailure.StreamError;
}

/// <summary>Why a request failed; on the wire and in logs as snake_case words.</summary>
public enum ModelFailure
{
    /// <summary>There is no key, or the provider did not accept it (401, 403).</summary>
    Unauthorized,

    /// <summary>The provider does not know the model (404, or its own words for it).</summary>
    UnknownModel,

    /// <summary>The request is wrong and will stay wrong (other 4xx).</summary>
    InvalidRequest,

    /// <summary>The context is longer than the model takes.</summary>
    ContextOverflow,

    /// <summary>The account has no money or quota left: waiting minutes does not help.</summary>
    QuotaExhausted,

    /// <summary>Too many requests (429).</summary>
    RateLimited,

    /// <summary>The provider is unwell (5xx).</summary>
    Overloaded,

    /// <summary>No connection, or it broke before an answer.</summary>
    Network,

    /// <summary>The provider's filter would not let the request through: it will not the next time either.</summary>
    ContentRefused,

    /// <summary>A budget of the user's is spent; nothing was sent.</summary>
    BudgetExhausted,

    /// <summary>There is a budget in dollars, and nobody told what the model costs; nothing was sent.</summary>
    PriceUnknown,

    /// <summary>What the session knows may not leave this machine, and the model is elsewhere.</summary>
    MustStayLocal,

    /// <summary>The stream ended before it was finished.</summary>
    StreamCut,

    /// <summary>The stream said nothing for too long.</summary>
    StreamIdle,

    /// <summary>The stream carried an error, or what is no stream at all.</summary>
    StreamError,
}

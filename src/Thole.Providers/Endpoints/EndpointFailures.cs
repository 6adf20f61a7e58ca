using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>One clear sentence for each way in which asking an endpoint can fail, with the cure and without the key.</summary>
internal sealed class EndpointFailures(EndpointOptions options, string model, TimeProvider time)
{
    private const int LongestQuote = 300;

    public string Who { get; } = $"{options.Provider} ({options.BaseAddress.Host})";

    /// <summary>What there is to say before anything is sent; null where nothing speaks against it.</summary>
    public static ModelException? BeforeSending(EndpointOptions options)
    {
        var credential = options.Credential;
        if (!credential.IsWellFormed)
        {
            return new ModelException(
                ModelFailure.Unauthorized,
                $"The key {(credential.IsStored ? $"stored for {options.Provider}" : $"in {credential.Variable}")} holds characters that no key has, perhaps a line break: set it again."
            );
        }

        return credential.IsPresent || options.BaseAddress.IsLoopback || options.HasOwnAuthorization
            ? null
            : new ModelException(
                ModelFailure.Unauthorized,
                $"There is no key for {options.Provider}: run 'thole auth {options.Provider}', or set {credential.Variable} or providers.{options.Provider}.apiKey in your settings."
            );
    }

    public ModelException Refused(int status, HttpResponseHeaders headers, ReadOnlyMemory<byte> body, RawTrace raw)
    {
        if (status is >= 300 and < 400)
        {
            return Failed(
                ModelFailure.InvalidRequest,
                $"{Who} redirects to {OutsideText.ToLine(headers.Location?.ToString() ?? "nowhere", LongestQuote)}, and a key is not sent"
                    + " to where it was not meant for: set the base address to the final one.",
                raw
            );
        }

        var complaint = ProviderComplaint.Read(body);
        return From(
            ProviderErrors.Classify(status, complaint),
            complaint,
            status,
            raw,
            RetryAfter(headers) ?? complaint.RetryAfter
        );
    }

    public ModelException InStream(ProviderComplaint complaint, RawTrace raw) =>
        From(ProviderErrors.Classify(status: null, complaint), complaint, status: null, raw, complaint.RetryAfter);

    public ModelException ContentRefused(string explanation, RawTrace raw) =>
        From(ModelFailure.ContentRefused, new ProviderComplaint(explanation, ""), status: null, raw, retryAfter: null);

    public ModelException Failed(ModelFailure failure, string sentence, RawTrace raw, Exception? inner = null) =>
        new(failure, options.Credential.Hide(sentence), inner) { Raw = raw.ToArray(options.Credential) };

    public ModelException Unreachable(Exception problem)
    {
        var reason = (problem.InnerException as SocketException ?? problem as SocketException)?.SocketErrorCode switch
        {
            SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => "the name is not known",
            SocketError.ConnectionRefused => "nothing listens there",
            SocketError.TimedOut => "it does not answer",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => "there is no way to it",
            _ when problem is OperationCanceledException => "it does not answer",
            _ => OutsideText.ToLine(problem.Message, LongestQuote).TrimEnd('.'),
        };

        return new ModelException(
            ModelFailure.Network,
            options.Credential.Hide(
                $"Cannot reach {options.Provider} at {options.BaseAddress.Host}:{options.BaseAddress.Port}: {reason}."
                    + " Check the network and the base address."
            ),
            problem
        );
    }

    private ModelException From(
        ModelFailure failure,
        ProviderComplaint complaint,
        int? status,
        RawTrace raw,
        TimeSpan? retryAfter
    )
    {
        var credential = options.Credential;
        var number = status is null ? "" : $" ({status})";
        var sentence = failure switch
        {
            ModelFailure.Unauthorized => credential.IsStored
                ? $"{Who} does not accept the key{number}: run 'thole auth {options.Provider}' and give a valid one."
                : $"{Who} does not accept the key{number}: set {credential.Variable} to a valid one, or providers.{options.Provider}.apiKey in your settings.",
            ModelFailure.UnknownModel =>
                $"{Who} does not know the model \"{OutsideText.ToLine(model, 100)}\"{number}: check the model's name, and that the base address is right.",
            ModelFailure.ContextOverflow => $"The request is longer than {Who} takes{number}.",
            ModelFailure.QuotaExhausted =>
                $"The account at {Who} has no quota left{number}: waiting does not help, look at its billing page.",
            ModelFailure.RateLimited => $"{Who} gets too many requests{number}.",
            ModelFailure.Overloaded => $"{Who} is unwell{number}.",
            ModelFailure.ContentRefused => $"{Who} refuses to answer this{number}: say it differently, or choose another model.",
            ModelFailure.InvalidRequest => $"{Who} refuses the request{number}.",
            _ => $"{Who} broke off its answer with an error{number}.",
        };

        // Hidden before it is shortened: half a key at the cut would not be recognised.
        var words = OutsideText.ToLine(credential.Hide(OutsideText.ToLine(complaint.Words, 16 * 1024)), LongestQuote);
        return new ModelException(failure, credential.Hide(words.Length == 0 ? sentence : $"{sentence} It says: {words}"))
        {
            RetryAfter = retryAfter,
            Raw = raw.ToArray(credential),
        };
    }

    private TimeSpan? RetryAfter(HttpResponseHeaders headers)
    {
        if (
            headers.TryGetValues("retry-after-ms", out var milliseconds)
            && double.TryParse(milliseconds.First(), CultureInfo.InvariantCulture, out var exact)
            && double.IsFinite(exact)
        )
        {
            return Bounded(exact / 1000);
        }

        if (!headers.TryGetValues("Retry-After", out var values))
        {
            return null;
        }

        var value = values.First();
        return double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && double.IsFinite(seconds)
                ? Bounded(seconds)
            : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
                ? Bounded((moment - time.GetUtcNow()).TotalSeconds)
            : null;
    }

    // A time of centuries would overflow; nobody waits for more than a month anyway.
    private static TimeSpan Bounded(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 30 * 24 * 3600));
}

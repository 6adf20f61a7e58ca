using System.Globalization;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>What every transcript for people says in the same words.</summary>
internal static class TranscriptWords
{
    public static string Of(CallOutcome outcome) =>
        outcome switch
        {
            CallOutcome.Succeeded => "succeeded",
            CallOutcome.Failed => "failed",
            CallOutcome.Refused => "not permitted, did not run",
            CallOutcome.Interrupted => "interrupted; what it had done by then is done",
            CallOutcome.NotStarted => "never started",
            CallOutcome.Unknown =>
                "outcome unknown: it had started, and whether it took effect nobody knows; it was not repeated",
            _ => "ended in a way that a newer version knows",
        };

    /// <summary>Of a call that the log does not see the end of.</summary>
    public static string OfOpen(bool hasStarted) =>
        hasStarted ? "started, and the log does not say how it ended" : "asked for, not started";

    /// <summary>Null where there is nothing to say of it.</summary>
    public static string? Of(TurnOutcome outcome) =>
        outcome switch
        {
            TurnOutcome.Completed => null,
            TurnOutcome.Interrupted => "Interrupted.",
            TurnOutcome.LimitReached => "A limit was reached.",
            TurnOutcome.BudgetExhausted => "A budget is spent.",
            TurnOutcome.ProviderFailed or TurnOutcome.Unauthorized => "The provider did not answer.",
            _ => "The turn failed.",
        };

    public static string Of(MediaContent media) =>
        media switch
        {
            FileContent { Name: { } name } => $"file {name}",
            FileContent => "file",
            _ => "image",
        };

    /// <summary>And who is asked next, where it is another one.</summary>
    public static string Of(AttemptFailed failed) =>
        $"Attempt {failed.Attempt} failed: {failed.Message}{(failed.Next is { } next ? $" From here on with {next}." : "")}";

    public static string Of(ApprovalMode mode) =>
        mode switch
        {
            ApprovalMode.Plan => "plan",
            ApprovalMode.AutoEdit => "auto-edit",
            ApprovalMode.Yolo => "yolo",
            _ => "default",
        };

    /// <summary>Empty where the provider did not count.</summary>
    public static string Of(Usage usage)
    {
        List<string> counts = [];
        Add(usage.InputTokens, "in");
        Add(usage.CachedTokens, "of them cached");
        Add(usage.CacheWriteTokens is > 0 ? usage.CacheWriteTokens : null, "of them written to a cache");
        Add(usage.OutputTokens, "out");
        return counts is [] ? "" : $"tokens: {string.Join(", ", counts)}";

        void Add(long? count, string what)
        {
            if (count is { } known)
            {
                counts.Add($"{known} {what}");
            }
        }
    }

    public static string Of(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

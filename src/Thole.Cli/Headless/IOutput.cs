using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>How a headless run is told to whoever started it. It sees every event once, in order.</summary>
internal interface IOutput
{
    void Begin(RunStart start);

    void Show(Envelope envelope);

    /// <summary>After each turn.</summary>
    void EndTurn(RunSummary summary);

    /// <summary>After the last turn, or where there was none to run: <paramref name="failure"/> says why.</summary>
    void End(string? failure, int exitCode);
}

internal sealed record RunStart(
    SessionId Session,
    string Workspace,
    string Model,
    ApprovalMode ApprovalMode,
    IReadOnlyList<string> Tools,
    string Version
);

/// <summary>What a turn came to.</summary>
internal sealed record RunSummary(
    TurnOutcome Outcome,
    string? Message,
    string Text,
    int Steps,
    Usage Usage,
    IReadOnlyList<RefusedCall> Refused,
    TimeSpan Duration,
    int ExitCode
)
{
    /// <summary>What standard error says of the turn, whatever the format of the answer: nothing where all was done.</summary>
    public IEnumerable<string> Complaints
    {
        get
        {
            if (Refused.Where(call => call.IsByMode).ToArray() is [_, ..] byMode)
            {
                yield return $"{Count(byMode)} refused by the approval mode: {Titles(byMode)}. Another --approval-mode allows more.";
            }

            if (Refused.Where(call => !call.IsByMode).ToArray() is [_, ..] unasked)
            {
                yield return $"{Count(unasked)} refused, because nobody could be asked: {Titles(unasked)}. {Cure(unasked)}";
            }

            if (Outcome is not TurnOutcome.Completed)
            {
                yield return Message ?? $"The turn ended: {Outcome}.";
            }
        }
    }

    private static string Count(RefusedCall[] calls) => calls is [_] ? "one call was" : $"{calls.Length} calls were";

    private static string Titles(RefusedCall[] calls) =>
        string.Join("; ", calls.Select(call => call.Title).Distinct(StringComparer.Ordinal));

    // The least that would have allowed it; a question to a person nothing can allow where there is none.
    private static string Cure(RefusedCall[] calls)
    {
        var tools = calls.Where(call => !call.IsQuestion).ToArray();
        var names = string.Join(',', tools.Select(call => call.Call.Tool).Distinct(StringComparer.Ordinal));
        return tools is [] ? "Put what it asks for into the prompt."
            : tools.All(call => call.Kind is ToolKind.Edit)
                ? $"Allow it with --approval-mode auto-edit or --allowed-tools {names}; with yolo where the file makes programs run."
            : $"Allow it with --allowed-tools {names}, or 'run_shell_command(the exact command)', or --approval-mode yolo.";
    }
}

/// <param name="IsByMode">Nobody was asked, because the mode forbids it.</param>
/// <param name="IsQuestion">The call was itself a question to the person.</param>
internal sealed record RefusedCall(ToolCall Call, string Title, ToolKind Kind, bool IsByMode, bool IsQuestion);

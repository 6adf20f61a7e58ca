using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// The answer on standard output as it is said, everything else on standard error. Text of a model cannot command the terminal:
/// control sequences are shown, not obeyed.
/// </summary>
internal sealed class TextOutput(TextWriter output, TextWriter error, bool showCalls) : IOutput
{
    private readonly Dictionary<CallId, string> _titles = [];
    private bool _endsInNewline = true;
    private bool _hasSaid;
    private bool _isCut;

    public void Begin(RunStart start) { }

    public void Show(Envelope envelope)
    {
        switch (envelope.Event)
        {
            case StepStarted:
                // One message, one paragraph: what follows a call does not run into what came before it. What was cut goes on.
                if (!_isCut)
                {
                    FinishLine();
                }

                _hasSaid = false;
                break;
            case TextPiece { Text: var text }:
                output.Write(TerminalText.Escape(text));
                output.Flush();
                _endsInNewline = text.EndsWith('\n');
                _hasSaid = true;
                break;
            case MessageCompleted completed:
                _isCut = completed.Stop is "output_limit";
                break;
            case AttemptFailed { RetryIn: { } wait } failed:
                FinishLine();
                Tell(
                    $"{failed.Message} Trying again in {wait.TotalSeconds:0.#} s{(_hasSaid ? "; what was said of this answer is void" : "")}."
                );
                _hasSaid = false;
                break;
            case CallRequested requested when showCalls:
                _titles[requested.Call.Id] = requested.Title;
                break;
            case CallCompleted completed when showCalls && _titles.Remove(completed.Call, out var title):
                FinishLine();
                error.WriteLine(
                    $"· {TerminalText.EscapeLine(title)}{(completed.Outcome is CallOutcome.Succeeded ? "" : $" ({Words.Snake(completed.Outcome).Replace('_', ' ')})")}"
                );
                break;
            case ContextCompacted:
                Tell("The older part of the conversation was summarised to make room; the log keeps it whole.");
                break;
            case LogRecovered recovered:
                Tell(recovered.Message);
                break;
        }
    }

    public void EndTurn(RunSummary summary)
    {
        FinishLine();
        foreach (var sentence in summary.Complaints)
        {
            Tell(sentence);
        }
    }

    public void End(string? failure, int exitCode)
    {
        if (failure is not null)
        {
            Note(failure);
        }
    }

    /// <summary>Something beside the answer, on a line of its own.</summary>
    public void Note(string sentence)
    {
        FinishLine();
        Tell(sentence);
    }

    private void Tell(string sentence) => error.WriteLine($"thole: {TerminalText.EscapeLine(sentence)}");

    private void FinishLine()
    {
        if (!_endsInNewline)
        {
            output.WriteLine();
            output.Flush();
            _endsInNewline = true;
        }
    }
}

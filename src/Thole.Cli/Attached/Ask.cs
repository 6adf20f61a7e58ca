using System.Globalization;
using System.Text.Json;
using Thole.Protocol;

namespace Thole.Cli.Attached;

/// <summary>A call that waits for a person at this terminal: what it says, and what the lines that follow come to.</summary>
internal sealed class Ask(ToolCall call, PermissionRequested request)
{
    private readonly List<string> _answers = [];

    public CallId Call => request.Call;

    /// <summary>What is asked now, safe for a terminal.</summary>
    public IEnumerable<string> Lines => request.Questions is [] ? [.. Arguments, "allow? [y/N] "] : QuestionLines;

    /// <returns>Null where a further question follows.</returns>
    public AnswerPermission? Take(string line)
    {
        var text = line.Trim();
        if (request.Questions is [])
        {
            return text.ToUpperInvariant() switch
            {
                "Y" or "YES" => new AnswerPermission(Call, Allow: true, []),
                "" or "N" or "NO" => new AnswerPermission(Call, Allow: false, []),
                _ => new AnswerPermission(Call, Allow: false, [], text), // whoever says more than no tells the model why
            };
        }

        if (text.Length == 0)
        {
            return new AnswerPermission(Call, Allow: false, []);
        }

        _answers.Add(Chosen(request.Questions[_answers.Count], text));
        return _answers.Count < request.Questions.Count ? null : new AnswerPermission(Call, Allow: true, [.. _answers]);
    }

    private IEnumerable<string> QuestionLines
    {
        get
        {
            var question = request.Questions[_answers.Count];
            yield return TerminalText.EscapeLine(question.Text);
            foreach (var (index, choice) in question.Choices.Index())
            {
                yield return $"  {index + 1}. {TerminalText.EscapeLine(choice.Label)}: {TerminalText.EscapeLine(choice.Description)}";
            }

            yield return question.MultiSelect
                ? "numbers with commas, or your own words; nothing to refuse: "
                : "a number, or your own words; nothing to refuse: ";
        }
    }

    /// <summary>
    /// All that the call would be given, as it would be given: a title may leave out what matters, and JSON can spell a letter so that
    /// nobody knows it.
    /// </summary>
    private IEnumerable<string> Arguments
    {
        get
        {
            yield return $"{TerminalText.EscapeLine(request.Question)} ({TerminalText.EscapeLine(call.Tool)})";
            foreach (var line in Members().SelectMany(member => member))
            {
                yield return $"  {line}";
            }
        }
    }

    private IReadOnlyList<IEnumerable<string>> Members()
    {
        try
        {
            var arguments = JsonElement.Parse(call.Arguments);
            if (arguments.ValueKind is JsonValueKind.Object)
            {
                return [.. arguments.EnumerateObject().Select(member => Shown(member.Name, TextOf(member.Value)))];
            }
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // What is no JSON is shown as it was written.
        }

        return [Shown("arguments", call.Arguments)];
    }

    private static string TextOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static IEnumerable<string> Shown(string name, string text)
    {
        var lines = TerminalText.Escape(text).Split('\n');
        return lines is [var only]
            ? [$"{TerminalText.EscapeLine(name)}: {only}"]
            : [$"{TerminalText.EscapeLine(name)}:", .. lines.Select(line => $"  {line}")];
    }

    private static string Chosen(Question question, string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var labels = parts.Select(part => LabelOf(question, part)).ToArray();
        return labels.Length > 0 && !labels.Contains(null) && (labels.Length == 1 || question.MultiSelect)
            ? string.Join(", ", labels)
            : text;
    }

    private static string? LabelOf(Question question, string part) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= 1
        && number <= question.Choices.Count
            ? question.Choices[number - 1].Label
            : null;
}

using System.Text;
using Thole.Core.Models;

namespace Thole.Providers.TextCalls;

/// <summary>
/// Reads calls out of a model's text, as it comes in pieces. Whatever begins as a call becomes one: where it is malformed or not
/// whole, with what speaks against making it, so that the model hears of it.
/// </summary>
internal abstract class TextCallParser : IMarkedText
{
    private readonly MarkerScanner _scanner;
    private readonly StringBuilder _text = new();
    private readonly List<CallProposed> _calls = [];

    protected TextCallParser(params string[] markers) => _scanner = new MarkerScanner(markers);

    /// <summary>The calls so far, in their order.</summary>
    public IReadOnlyList<CallProposed> Calls => _calls;

    /// <summary>Whether a call has begun and is not over.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Null where an endpoint reads the calls itself.</summary>
    public static TextCallParser? For(TextCallFormat? format, IReadOnlyList<ToolDefinition> tools) =>
        format switch
        {
            TextCallFormat.QwenCoder => new QwenCoderCalls(new ArgumentTypes(tools)),
            TextCallFormat.Hermes => new HermesCalls(),
            TextCallFormat.Glm => new GlmCalls(new ArgumentTypes(tools)),
            TextCallFormat.KimiK2 => new SectionCalls(SectionMarkers.KimiK2),
            TextCallFormat.DeepSeekV31 => new SectionCalls(SectionMarkers.DeepSeekV31),
            _ => null,
        };

    /// <summary>Takes a piece of what the model says.</summary>
    /// <returns>What of it is text.</returns>
    public string Take(string piece)
    {
        _scanner.Feed(piece, isLast: false, this);
        return Told();
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="wasCut">The output limit, or a filter, ended the answer.</param>
    /// <returns>Text that was held back.</returns>
    public string Close(bool wasCut)
    {
        _scanner.Feed("", isLast: true, this);
        End(
            wasCut
                ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : "This call is not whole, its end is missing: make it again.",
            wasCut
        );
        return Told();
    }

    public abstract void TakeText(ReadOnlySpan<char> text);

    public abstract void TakeMarker(string marker);

    /// <summary>The text ends here.</summary>
    /// <param name="problem">What speaks against a call that is still open.</param>
    /// <param name="wasCut">Then a call that is not closed is not believed, whole as it may look.</param>
    protected abstract void End(string problem, bool wasCut);

    /// <summary>
    /// What the model says before it asks. What it goes on to say after a call, it says without the result, often inventing one: that
    /// is neither shown nor kept, as servers that read the calls themselves have it.
    /// </summary>
    protected void Say(ReadOnlySpan<char> text)
    {
        if (_calls is [])
        {
            _text.Append(text);
        }
    }

    protected void Propose(string name, string arguments, string? problem, string? id = null) =>
        _calls.Add(
            new CallProposed(
                id,
                name,
                arguments,
                problem ?? (name.Length == 0 ? "The call has no name: say which tool is meant." : null)
            )
        );

    private string Told()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}

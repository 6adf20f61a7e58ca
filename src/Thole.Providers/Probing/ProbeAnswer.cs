using System.Text;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Probing;

/// <summary>What came back of one request of a test, and when.</summary>
internal sealed class ProbeAnswer
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private readonly List<CallProposed> _calls = [];
    private readonly List<TimeSpan> _moments = [];

    /// <summary>Text as the model wrote it, with what is only marked up as thought or call still in it.</summary>
    public string RawText => _text.ToString();

    public string Text { get; private set; } = "";

    public string Reasoning { get; private set; } = "";

    public IReadOnlyList<CallProposed> Calls { get; private set; } = [];

    public ModelFinished? Finished { get; private set; }

    public ModelException? Failure { get; private set; }

    /// <summary>Whether its thoughts came as a tag within the text.</summary>
    public bool ThinksInText { get; private set; }

    /// <summary>In which format calls came as text; null where they did not.</summary>
    public TextCallFormat? TextCalls { get; private set; }

    public TimeSpan? FirstAfter => _moments is [var first, ..] ? first : null;

    public int Chunks => _moments.Count;

    public IReadOnlyList<TimeSpan> Gaps => [.. _moments.Zip(_moments.Skip(1), static (one, next) => next - one)];

    public static async Task<ProbeAnswer> HearAsync(
        IModel model,
        ModelRequest request,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var answer = new ProbeAnswer();
        var start = time.GetTimestamp();
        try
        {
            await foreach (var said in model.StreamAsync(request, cancellationToken))
            {
                answer.Take(said, time.GetElapsedTime(start));
            }
        }
        catch (ModelException failed)
        {
            answer.Failure = failed;
        }

        answer.Interpret(request.Tools);
        return answer;
    }

    /// <summary>As a part of the context, as a session would have it.</summary>
    /// <param name="model">The full name.</param>
    public AssistantItem ToItem(string model) =>
        new(
            2,
            Text,
            Reasoning,
            [
                .. Calls.Select(
                    static (call, index) =>
                        new ToolCall(CallId.From($"call_{index + 1}"), call.Name, call.Arguments, call.ProviderId)
                ),
            ],
            model,
            Finished?.ProviderData
        );

    private void Take(ModelEvent said, TimeSpan after)
    {
        switch (said)
        {
            case TextDelta text:
                _text.Append(text.Text);
                _moments.Add(after);
                break;
            case ReasoningDelta thought:
                _reasoning.Append(thought.Text);
                _moments.Add(after);
                break;
            case CallProposed call:
                _calls.Add(call);
                break;
            case ModelFinished finished:
                Finished = finished;
                break;
        }
    }

    private void Interpret(IReadOnlyList<ToolDefinition> tools)
    {
        var (thought, text) = new ThinkTag().Take(_text.ToString(), isLast: true);
        ThinksInText = thought.Length > 0;
        (Text, Reasoning, Calls) = (text, _reasoning.ToString() + thought, _calls);
        if (_calls is not [] || tools is [])
        {
            return;
        }

        foreach (var format in Enum.GetValues<TextCallFormat>())
        {
            var parser = TextCallParser.For(format, tools)!;
            var rest = parser.Take(text) + parser.Close(wasCut: false);
            if (
                parser.Calls is not []
                && parser.Calls.All(call => call.Problem is null && tools.Any(tool => tool.Name == call.Name))
            )
            {
                (TextCalls, Text, Calls) = (format, rest, [.. parser.Calls]);
                return;
            }
        }
    }
}

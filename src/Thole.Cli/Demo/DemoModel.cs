using System.Runtime.CompilerServices;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Cli.Demo;

/// <summary>
/// A script in a model's place, and it says so: no key and no network. It reads the results of its calls as a model would, and stops
/// where they are not what it expects. Everything else — log, tools, policy, processes — is the product as it is.
/// </summary>
internal sealed class DemoModel(TimeProvider time) : IModel, IModelCatalog
{
    public const string Name = "demo/script";

    private int _calls;

    public ModelEndpoint Find(string name) =>
        new(Name, "script", this, new ModelLimits(ContextWindow: 128_000, MaxOutput: 8_000));

    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var results = request.Items.OfType<ResultItem>().ToArray();
        var (text, calls) = Next(results);
        foreach (var word in text.Split(' '))
        {
            // A person should see that text streams; a real model is not faster.
            await Task.Delay(TimeSpan.FromMilliseconds(12), time, cancellationToken);
            yield return new TextDelta($"{word} ");
        }

        foreach (var (tool, arguments) in calls)
        {
            yield return new CallProposed($"demo_{++_calls}", tool, arguments);
        }

        yield return new ModelFinished(StopReason.Done, new Usage());
    }

    private static (string Text, (string Tool, string Arguments)[] Calls) Next(ResultItem[] results) =>
        results.Length switch
        {
            0 => (
                "I am a script in a model's place, not a model: this demo needs no key. I look at the repository and run its tests.",
                [
                    ("list_directory", """{"path":"."}"""),
                    ("run_shell_command", $$"""{"command":"{{DemoRepository.TestCommand}}"}"""),
                ]
            ),
            2 when Said(results[1], "FAILED  total 5 10") => (
                "One test fails: ten pieces get no discount. I look for the place that decides it.",
                [("grep_search", """{"pattern":"count.*10","glob":"*.sh"}"""), ("read_file", """{"file_path":"total.sh"}""")]
            ),
            4 when Said(results[3], "-gt 10") => (
                "The README says \"from ten pieces on\", but the program compares with -gt, which leaves ten out. I change that one word.",
                [("edit", """{"file_path":"total.sh","old_string":"\"$count\" -gt 10","new_string":"\"$count\" -ge 10"}""")]
            ),
            5 when results[4].Outcome is CallOutcome.Succeeded => (
                "Now the tests again.",
                [("run_shell_command", $$"""{"command":"{{DemoRepository.TestCommand}}"}""")]
            ),
            6 when results[5].Outcome is CallOutcome.Succeeded && !Said(results[5], "FAILED") => (
                "All four tests pass. The bug was in total.sh:6: the discount began at eleven pieces instead of ten, because the comparison was "
                    + "\"greater than\" (-gt) where the README promises \"from ten on\" (-ge). Nothing else was changed.",
                []
            ),
            _ => ($"A result is not what my script expects, so I stop here: {results[^1].Result.Text}", []),
        };

    private static bool Said(ResultItem result, string text) => result.Result.Text.Contains(text, StringComparison.Ordinal);
}

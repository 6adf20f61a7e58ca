using System.Text.Json;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// One job of several steps whose effects can be counted, the model that wants it done, and the rules by which what a client was
/// shown, what the log holds and what happened in the world must agree.
/// </summary>
internal static class TurnStory
{
    public const string Answer = "All of it is done.";

    /// <summary>Each is a file to which one call appends one byte.</summary>
    public static readonly IReadOnlyList<string> Counters = ["one", "two", "three"];

    /// <summary>A model that goes on until everything was asked for once; it asks again only for what it was told never started.</summary>
    public static ScriptedModelServer Model()
    {
        var server = ScriptedModelServer.Start();
        return server.ReplyOtherwise(reply => Continue(server.Requests[^1], reply));
    }

    /// <summary>What is wrong, or null.</summary>
    /// <param name="shown">The lines that the client read.</param>
    /// <param name="log">All events of the session.</param>
    /// <param name="workspace">Where the counters are.</param>
    public static string? Check(IReadOnlyList<JsonElement> shown, IReadOnlyList<Envelope> log, string workspace) =>
        Order(log) ?? Promises(shown, log) ?? Effects(log, workspace);

    /// <summary>Whole lines only: the last may have been cut by a kill, and was then shown to nobody.</summary>
    public static IReadOnlyList<JsonElement> Lines(string output) =>
        [.. output[..(output.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    /// <summary>The calls whose intent is in the log and whose outcome is not.</summary>
    public static IReadOnlyList<ToolCall> WithoutOutcome(IReadOnlyList<Envelope> log) =>
        [
            .. log.Select(envelope => envelope.Event)
                .OfType<CallRequested>()
                .Select(requested => requested.Call)
                .Where(call =>
                    log.Any(envelope => envelope.Event is CallStarted started && started.Call == call.Id)
                    && !log.Any(envelope => envelope.Event is CallCompleted completed && completed.Call == call.Id)
                ),
        ];

    public static string ResultOf(RecordedRequest request, string providerId) =>
        request
            .Messages.Single(message =>
                message.GetProperty("role").ValueEquals("tool") && message.GetProperty("tool_call_id").ValueEquals(providerId)
            )
            .GetProperty("content")
            .ToString();

    private static void Continue(RecordedRequest request, ScriptedReply reply)
    {
        var times = new Dictionary<string, int>(StringComparer.Ordinal);
        var open = new HashSet<string>(["one", "two", "note", "three"], StringComparer.Ordinal);
        foreach (var message in request.Messages)
        {
            if (message.TryGetProperty("tool_calls", out var calls))
            {
                foreach (var call in calls.EnumerateArray())
                {
                    var name = Name(call.GetProperty("id"));
                    times[name] = times.GetValueOrDefault(name) + 1;
                    open.Remove(name);
                }
            }
            else if (
                message.GetProperty("role").ValueEquals("tool")
                && message.GetProperty("content").ToString().Contains("did not start", StringComparison.Ordinal)
            )
            {
                open.Add(Name(message.GetProperty("tool_call_id")));
            }
        }

        string[] next = open.Overlaps(["one", "two"])
            ? [.. open.Intersect(["one", "two"])]
            : [.. ((string[])["note", "three"]).Where(open.Contains).Take(1)];
        if (next is [])
        {
            reply.Text(Answer).Done();
            return;
        }

        reply.Text("I go on.");
        foreach (var name in next)
        {
            var id = $"{name}_{times.GetValueOrDefault(name)}";
            _ = name is "note"
                ? reply.Call("write_file", """{"file_path":"note.txt","content":"noted\n"}""", id)
                : reply.Call("run_shell_command", $$"""{"command":"printf x >> {{name}}"}""", id);
        }

        reply.Done();

        static string Name(JsonElement id) => id.GetString()!.Split('_')[0];
    }

    private static string? Order(IReadOnlyList<Envelope> log)
    {
        for (var index = 1; index < log.Count; index++)
        {
            if (log[index].Sequence != log[index - 1].Sequence + 1 && log[index].Event is not LogRecovered)
            {
                return $"event {log[index].Sequence} follows {log[index - 1].Sequence}";
            }
        }

        var twice = log.Select(envelope =>
                envelope.Event switch
                {
                    CallRequested requested => $"request of {requested.Call.Id}",
                    CallStarted started => $"start of {started.Call}",
                    CallCompleted completed => $"outcome of {completed.Call}",
                    TurnStarted started => $"start of {started.Turn}",
                    TurnEnded ended => $"end of {ended.Turn}",
                    _ => $"event {envelope.Sequence}",
                }
            )
            .GroupBy(what => what, StringComparer.Ordinal)
            .FirstOrDefault(same => same.Count() > 1);
        return twice is null ? null : $"the {twice.Key} is there {twice.Count()} times";
    }

    /// <summary>What the client was shown, line by line, is how the log of that turn begins.</summary>
    private static string? Promises(IReadOnlyList<JsonElement> shown, IReadOnlyList<Envelope> log)
    {
        var there = new List<string>();
        var text = "";
        foreach (var envelope in log)
        {
            switch (envelope.Event)
            {
                case TurnStarted:
                    there.Clear(); // the client joined with the last
                    break;
                case StepStarted:
                    text = "";
                    break;
                case TextPiece piece:
                    text += piece.Text;
                    break;
                case MessageCompleted:
                    there.Add($"message {text}");
                    break;
                case CallCompleted completed:
                    there.Add(
                        $"result {completed.Call} {completed.Outcome.ToString().ToLowerInvariant()} {completed.Result.Text}"
                    );
                    break;
                case TurnEnded ended:
                    there.Add($"end {ended.Outcome is TurnOutcome.Completed}");
                    break;
            }
        }

        var promises = shown.Select(Promise).OfType<string>().ToList();
        for (var index = 0; index < promises.Count; index++)
        {
            if (index >= there.Count || there[index] != promises[index])
            {
                return $"shown, and not in the log: {promises[index]}";
            }
        }

        return null;
    }

    private static string? Promise(JsonElement line) =>
        line.GetProperty("type").GetString() switch
        {
            "assistant" => $"message {Text(line)}",
            "user" when line.GetProperty("message").GetProperty("content")[0] is var result =>
                $"result {result.GetProperty("tool_use_id")} {result.GetProperty("outcome")} {result.GetProperty("content")}",
            "result" when line.TryGetProperty("num_turns", out _) => $"end {!line.GetProperty("is_error").GetBoolean()}",
            _ => null,
        };

    private static string Text(JsonElement line) =>
        string.Concat(
            line.GetProperty("message")
                .GetProperty("content")
                .EnumerateArray()
                .Where(block => block.GetProperty("type").ValueEquals("text"))
                .Select(block => block.GetProperty("text").GetString())
        );

    /// <summary>Nothing happened twice, nothing without its intent in the log, and what is said to have happened did.</summary>
    private static string? Effects(IReadOnlyList<Envelope> log, string workspace)
    {
        foreach (var counter in Counters)
        {
            var path = Path.Join(workspace, counter);
            var count = File.Exists(path) ? new FileInfo(path).Length : 0;
            var calls = log.Select(envelope => envelope.Event)
                .OfType<CallRequested>()
                .Select(requested => requested.Call)
                .Where(call => call.ProviderId?.StartsWith(counter, StringComparison.Ordinal) is true)
                .Select(call => call.Id)
                .ToHashSet();
            var started = log.Count(envelope => envelope.Event is CallStarted happened && calls.Contains(happened.Call));
            var succeeded = log.Count(envelope =>
                envelope.Event is CallCompleted { Outcome: CallOutcome.Succeeded } happened && calls.Contains(happened.Call)
            );
            if (count > 1 || count > started || count < succeeded)
            {
                return $"{counter} took effect {count} times; the log has {started} starts and {succeeded} successes";
            }
        }

        return null;
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}

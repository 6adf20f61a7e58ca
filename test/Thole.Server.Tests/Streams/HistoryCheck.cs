using System.Text.Json;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Streams;

/// <summary>The rules by which what readers got and what the log holds must agree.</summary>
internal static class HistoryCheck
{
    /// <summary>What is wrong; empty where nothing is.</summary>
    public static IReadOnlyList<string> Check(History history)
    {
        var log = history.Events;
        return
        [
            .. history.Wrong,
            .. Dense(log),
            .. history.Readers.SelectMany(reader => Reader(reader, log)),
            .. history
                .Readers.GroupBy(reader => reader.Path)
                .SelectMany(same => Same([.. same.SelectMany(reader => reader.Got)])),
            .. Prompts(history, log),
        ];
    }

    /// <summary>A reader got what follows its first cursor, all of it, once, in order.</summary>
    public static IEnumerable<string> Reader(HistoryReader reader, IReadOnlyList<Envelope> log)
    {
        foreach (var wrong in reader.Wrong)
        {
            yield return $"a reader of {reader.Path} was told {wrong}";
        }

        var got = reader.Got.Select(frame => frame.Id!.Value);
        var expected = log.Select(envelope => envelope.Sequence).Where(sequence => sequence > reader.From);
        if (!expected.SequenceEqual(got))
        {
            yield return $"a reader of {reader.Path} from {reader.From} of {log.Count} got {string.Join(' ', Ranges(got))}";
        }
    }

    /// <summary>The same number is the same frame, whoever reads it, and whenever.</summary>
    public static IEnumerable<string> Same(IReadOnlyList<Frame> got) =>
        got.GroupBy(frame => frame.Id)
            .Where(same => same.Select(Content).Distinct(StringComparer.Ordinal).Count() > 1)
            .Select(same => $"{same.Key} is {string.Join(" and ", same.Select(Content).Distinct(StringComparer.Ordinal))}");

    private static IEnumerable<string> Dense(IReadOnlyList<Envelope> log) =>
        log.Index()
            .Where(one => one.Item.Sequence != one.Index + 1)
            .Select(one => $"event {one.Index + 1} has the number {one.Item.Sequence}");

    /// <summary>What was accepted comes to exactly one end; what was said to a turn is its own end, or comes to one.</summary>
    private static IEnumerable<string> Prompts(History history, IReadOnlyList<Envelope> log)
    {
        var ends = log.Select(envelope =>
                envelope.Event switch
                {
                    TurnEnded ended => ended.Prompt,
                    PromptWithdrawn withdrawn => withdrawn.Prompt,
                    _ => null,
                }
            )
            .OfType<PromptId>()
            .CountBy(id => id.Value)
            .ToDictionary();
        foreach (var id in history.Admitted.Keys.Where(id => ends.GetValueOrDefault(id) != 1))
        {
            yield return $"the prompt {id} has {ends.GetValueOrDefault(id)} ends";
        }

        foreach (var (id, count) in ends.Where(end => end.Value > 1))
        {
            yield return $"{id} has {count} ends";
        }

        var whole = history.Readers.Where(reader => reader is { From: 0, Path: ['/', 's', ..] });
        foreach (var reader in whole)
        {
            var told = reader
                .Got.Where(frame => frame.Type is "turn_complete" or "turn_error")
                .CountBy(frame => frame.Data.GetProperty("promptId").GetString()!);
            foreach (var (id, count) in told.Where(end => end.Value != ends.GetValueOrDefault(end.Key)))
            {
                yield return $"{id} ended {ends.GetValueOrDefault(id)} times and {count} frames say so";
            }
        }
    }

    /// <summary>What a frame says of then. Of what is so now, a question still open or a session still closed, it may say less later.</summary>
    private static string Content(Frame frame) =>
        frame.Type switch
        {
            "permission_request" => frame.Data.GetProperty("requestId").GetString()!,
            "session_closed" or "session_was_closed" => "closed",
            _ => $"{frame.Type} {frame.Text}",
        };

    private static IEnumerable<string> Ranges(IEnumerable<long> numbers)
    {
        (long First, long Last)? range = null;
        foreach (var number in numbers)
        {
            if (range is { } open && number == open.Last + 1)
            {
                range = (open.First, number);
                continue;
            }

            if (range is { } ended)
            {
                yield return $"{ended.First}-{ended.Last}";
            }

            range = (number, number);
        }

        if (range is { } last)
        {
            yield return $"{last.First}-{last.Last}";
        }
    }
}

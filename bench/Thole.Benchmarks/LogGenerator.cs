using System.Globalization;
using System.Text;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Benchmarks;

/// <summary>Writes a session as long as wanted, in the mixture that real work leaves: pieces, calls, results, large outputs, compactions.</summary>
public static class LogGenerator
{
    private const int CallsPerTurn = 6;
    private const int TurnsPerCompaction = 40;

    /// <returns>The number of the newest event.</returns>
    public static async Task<long> WriteAsync(
        IEventStore store,
        SessionId session,
        string workspace,
        long bytes,
        CancellationToken cancellationToken
    )
    {
        var random = new Random(1);
        await using var log = store.Create(session);
        var batch = new List<Envelope>();
        var at = DateTimeOffset.UnixEpoch.AddYears(56);
        long written = 0;
        Add(new SessionOpened(session, workspace, "local/model", ApprovalMode.Yolo, "0.1.0"), 300);
        await FlushAsync(durable: true);
        for (var turn = 1; written < bytes; turn++)
        {
            var id = new TurnId($"turn-{turn}");
            Add(new TurnStarted(id, new PromptId($"prompt-{turn}"), [new TextContent(Words(40))]), 500);
            for (var step = 1; step <= CallsPerTurn; step++)
            {
                Add(new StepStarted(id, step, "local/model"), 200);
                for (var piece = 0; piece < 12; piece++)
                {
                    var text = Words(25);
                    Add(piece < 3 ? new ReasoningPiece(text) : new TextPiece(text), 350);
                }

                Add(new MessageCompleted("tool_calls", new Usage(40_000, 300, 39_000)), 250);
                var call = new CallId(string.Create(CultureInfo.InvariantCulture, $"call-{turn}-{step}"));
                Add(
                    new CallRequested(new ToolCall(call, "read_file", """{"path":"src/a.cs"}"""), ToolKind.Read, "Read src/a.cs"),
                    400
                );
                Add(new CallStarted(call), 150);
                var output = Words(step == 1 ? 6_000 : 400);
                var whole = step == 1 ? await StoreAsync(output) : (BlobId?)null;
                var result = new ToolResult { Text = output[..Math.Min(output.Length, 4_000)], FullText = whole };
                Add(new CallCompleted(call, CallOutcome.Succeeded, result), 4_300);
                await FlushAsync(durable: false);
            }

            Add(new TurnEnded(id, TurnOutcome.Completed), 150);
            if (turn % TurnsPerCompaction == 0)
            {
                Add(new ContextCompacted(Words(500), log.Next, new Usage(100_000, 900)), 3_500);
            }

            await FlushAsync(durable: turn % 100 == 0);
            if (turn % TurnsPerCompaction == 0)
            {
                await log.WriteSnapshotAsync(
                    new Snapshot(log.Latest, 1, Encoding.UTF8.GetBytes(Words(10_000))),
                    cancellationToken
                );
            }
        }

        await log.WriteSnapshotAsync(new Snapshot(log.Latest - 150, 1, Encoding.UTF8.GetBytes(Words(10_000))), cancellationToken);
        return log.Latest;

        void Add(SessionEvent happened, int size)
        {
            at = at.AddMilliseconds(40);
            batch.Add(new Envelope(log.Next + batch.Count, at, Actor.Model, happened));
            written += size;
        }

        async Task FlushAsync(bool durable)
        {
            await log.AppendAsync([.. batch], durable, cancellationToken);
            batch.Clear();
        }

        async Task<BlobId?> StoreAsync(string text)
        {
            var content = Encoding.UTF8.GetBytes(text);
            written += content.Length;
            return await log.StoreAsync(content, cancellationToken);
        }

        string Words(int count)
        {
            var text = new StringBuilder();
            for (var word = 0; word < count; word++)
            {
                text.Append(s_words[random.Next(s_words.Length)]).Append(word % 12 == 11 ? '\n' : ' ');
            }

            return text.ToString();
        }
    }

    private static readonly string[] s_words =
        "the oar pin holds a stroke while boat and crew pull against water public static async record return value file line number 1042".Split(
            ' '
        );
}

using Thole.Testing.Models;

namespace Thole.Benchmarks;

/// <summary>What the model will do in the next run: some rounds of tools, then an answer.</summary>
internal sealed class ModelScript
{
    private readonly List<(string Tool, string Arguments)> _rounds = [];
    private string _answer = "Done.";
    private TimeSpan _thinks;

    public ModelScript(ScriptedModelServer server)
    {
        Server = server;
        for (var round = 0; round < HeadlessRuns.ManyRounds; round++)
        {
            var number = round;
            server.ReplyWhen(
                request => number < _rounds.Count && ResultsIn(request) == number,
                reply => reply.Call(_rounds[number].Tool, _rounds[number].Arguments).Done()
            );
        }

        server.ReplyOtherwise(reply =>
        {
            if (_thinks > TimeSpan.Zero)
            {
                reply.Wait(Task.Delay(_thinks));
            }

            reply.Text(_answer).Done();
        });
    }

    public ScriptedModelServer Server { get; }

    public void Say(string answer, params IEnumerable<(string Tool, string Arguments)> rounds)
    {
        (_answer, _thinks) = (answer, TimeSpan.Zero);
        _rounds.Clear();
        _rounds.AddRange(rounds);
    }

    /// <summary>An answer that takes its time.</summary>
    public void SayAfter(TimeSpan thinking, string answer)
    {
        Say(answer);
        _thinks = thinking;
    }

    // Counted in the text: reading the JSON would be counted as the program's time.
    private static int ResultsIn(RecordedRequest request)
    {
        var body = request.Body.AsSpan();
        var mark = "\"role\":\"tool\""u8;
        var count = 0;
        for (int at; (at = body.IndexOf(mark)) >= 0; body = body[(at + mark.Length)..])
        {
            count++;
        }

        return count;
    }
}

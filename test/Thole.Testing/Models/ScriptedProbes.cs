namespace Thole.Testing.Models;

/// <summary>A server that does well in every probe of a test of models, whatever is spoken with it.</summary>
public static class ScriptedProbes
{
    /// <summary>What the model is asked to call a tool with.</summary>
    public const string Arguments =
        """{"title":"He said \"yes\" \\ no","place":"Zürich – 東京 🙂","grid":[[1,2],[3]],"count":42,"ratio":0.5,"done":true}""";

    /// <summary>Rules that were given before go first: so a test says only what goes wrong.</summary>
    public static ScriptedModelServer AnswerProbes(this ScriptedModelServer server)
    {
        var asked = 0;
        return server
            .ReplyWhen(Says("Which colour"), reply => reply.Text("Red").Done())
            .ReplyWhen(Says("It is written down"), reply => reply.Text("ok").Done())
            .ReplyWhen(
                Says("Call the tool record"),
                reply => reply.Reasoning("I am to call it.").Call("record", Arguments).Done()
            )
            .ReplyWhen(
                Says("weather in Rome"),
                reply => reply.Call("weather", """{"city":"Rome"}""").Call("weather", """{"city":"Oslo"}""").Done()
            )
            .ReplyWhen(Says("from 1 to 500"), reply => reply.Text("1 2 3 4").DoneAtLimit())
            .ReplyWhen(
                Says("from 1 to 40"),
                reply => reply.Reasoning("That is easy.").Text("1 2 3 4 5 6 7 8 9").Usage(51, 80).Done()
            )
            .ReplyWhen(
                Says("Rule 300"),
                reply => reply.Text("ok").Usage(4_600, 2, Interlocked.Increment(ref asked) > 1 ? 4_096 : 0).Done()
            );
    }

    /// <summary>Whether a request holds these words.</summary>
    public static Func<RecordedRequest, bool> Says(string words) =>
        request => request.Text.Contains(words, StringComparison.Ordinal);
}

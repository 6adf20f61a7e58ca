using Thole.Core.Models;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Hosting;

/// <summary>Models that any number of turns can ask.</summary>
internal static class Scripts
{
    /// <summary>Says one word.</summary>
    public static ScriptedModel Saying(string word = "done") => new ScriptedModel().Otherwise(step => step.Text(word));

    /// <summary>Says the numbers from 1 on, in text and reasoning by turns: each is an event of its own.</summary>
    public static ScriptedModel Counting(int chunks) =>
        new ScriptedModel().Otherwise(step =>
        {
            for (var number = 1; number <= chunks; number++)
            {
                _ = number % 2 == 0 ? step.Text($"{number} ") : step.Reasoning($"{number} ");
            }
        });

    /// <summary>Asks once a turn for a tool, and then says that it is done.</summary>
    public static ScriptedModel Calling(string tool)
    {
        var model = new ScriptedModel();
        return model.Otherwise(step =>
            _ = model.Requests[^1].Items[^1] is ResultItem ? step.Text("done") : step.Call(tool, """{"path":"a"}""")
        );
    }

    /// <summary>Says one word once the test lets it.</summary>
    public static ScriptedModel Waiting(Task gate) =>
        new ScriptedModel().Otherwise(step => step.Text("so ").Wait(gate).Text("far"));
}

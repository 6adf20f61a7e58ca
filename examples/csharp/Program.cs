// Asks the daemon of a workspace, shows what it says, and allows nothing:
//   dotnet run --project examples/csharp -- http://127.0.0.1:4170 "Why does the test fail?"
using Thole.Client;
using Thole.Protocol;

if (args is not [var address, var prompt])
{
    Console.Error.WriteLine("usage: thole-ask ADDRESS PROMPT, with the token in THOLE_SERVER_TOKEN");
    return 2;
}

using var client = new TholeClient(new Uri(address), Environment.GetEnvironmentVariable("THOLE_SERVER_TOKEN"));
var session = await client.OpenAsync();
await foreach (var envelope in session.ReadTurnAsync(prompt))
{
    switch (envelope.Event)
    {
        case TextPiece piece:
            Console.Write(TerminalText.Escape(piece.Text)); // what a model says must not command the terminal
            break;
        case PermissionRequested asked:
            Console.Error.WriteLine($"no to: {TerminalText.EscapeLine(asked.Question)}");
            await session.AnswerAsync(asked.Call, allow: false, "This client only looks.");
            break;
        case TurnEnded ended:
            Console.WriteLine();
            return ended.Outcome is TurnOutcome.Completed ? 0 : 1;
    }
}

return 1;

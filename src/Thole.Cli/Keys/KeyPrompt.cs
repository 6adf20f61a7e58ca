using System.Text;

namespace Thole.Cli.Keys;

/// <summary>Asks whoever runs us: a person at a terminal, or a script through a pipe.</summary>
internal sealed class KeyPrompt(TextWriter screen)
{
    private const int Longest = 4_096;

    /// <summary>Whether a person sits there: a pipe is not spoken to.</summary>
    public static bool HasPerson => !Console.IsInputRedirected;

    /// <summary>A line that may be seen; null where nothing more comes.</summary>
    public string? Ask(string question)
    {
        if (HasPerson)
        {
            screen.Write(question);
        }

        return Terminal.Input.ReadLine();
    }

    /// <summary>A line that nobody may see: what is typed is not shown.</summary>
    /// <returns>Null where nothing comes.</returns>
    /// <exception cref="OperationCanceledException">The person does not want to.</exception>
    public string? AskSecret(string question) => HasPerson ? ReadUnseen(question) : Terminal.Input.ReadLine();

    private string? ReadUnseen(string question)
    {
        // A Ctrl+C that ended the process here would leave a terminal that shows nothing.
        Console.TreatControlCAsInput = true;
        try
        {
            // From here on the terminal shows nothing that is typed, also what comes before the question is read.
            _ = Console.KeyAvailable;
            screen.Write(question);
            return ReadKeys();
        }
        finally
        {
            screen.WriteLine();
            Console.TreatControlCAsInput = false;
        }
    }

    private static string? ReadKeys()
    {
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key)
            {
                case { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control }:
                    throw new OperationCanceledException();
                case { Key: ConsoleKey.Enter }:
                    return typed.ToString();
                case { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control }:
                    return typed.Length > 0 ? typed.ToString() : null;
                case { Key: ConsoleKey.Backspace }:
                    typed.Length = Math.Max(0, typed.Length - 1);
                    break;
                case { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control }:
                    typed.Clear();
                    break;
                case { KeyChar: >= ' ' and var letter } when typed.Length < Longest:
                    typed.Append(letter);
                    break;
            }
        }
    }
}

using System.Text;

namespace Thole.Cli;

/// <summary>The standard streams: UTF-8 whatever the locale says, without a byte order mark, flushed by whoever writes.</summary>
internal static class Terminal
{
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static TextWriter Output { get; } =
        new StreamWriter(new StandardOutput(Console.OpenStandardOutput(), isSilent: false), s_utf8, 4_096) { NewLine = "\n" };

    public static TextWriter Error { get; } =
        new StreamWriter(new StandardOutput(Console.OpenStandardError(), isSilent: true), s_utf8, 1_024)
        {
            AutoFlush = true,
            NewLine = "\n",
        };

    public static TextReader Input => field ??= new StreamReader(Console.OpenStandardInput(), s_utf8);

    /// <summary>Standard input to its end. A pipe that nobody closes would look like a hang: after three seconds it is said what is waited for.</summary>
    public static string ReadAllInput()
    {
        using var hint = new Timer(
            static _ =>
                Error.WriteLine("thole: reading the prompt from standard input; end it with Ctrl+D, or pass < /dev/null."),
            null,
            TimeSpan.FromSeconds(3),
            Timeout.InfiniteTimeSpan
        );
        return Input.ReadToEnd();
    }

    /// <summary>A question that only y or yes answers with yes.</summary>
    public static bool Confirm(string question)
    {
        Error.Write($"{Protocol.TerminalText.EscapeLine(question)} [y/N] ");
        return Input.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}

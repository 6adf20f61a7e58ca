using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Thole.Core.Workspaces;

namespace Thole.Cli.Keys;

/// <summary>
/// The program through which a keyring is asked. A secret goes to it on standard input and comes on standard output, never in
/// an argument, which every user of the machine can read; and it is not waited for longer than a person would.
/// </summary>
internal sealed class KeyringProgram(string path)
{
    private const int LongestOutput = 64 * 1024;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <param name="patience">It may have to ask a person to unlock the keyring.</param>
    /// <exception cref="KeyringException">It cannot be started, or has not ended in time.</exception>
    public (int ExitCode, string Output) Run(TimeSpan patience, string input, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(path)
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = s_utf8,
            StandardOutputEncoding = s_utf8,
        };
        start.Environment.Clear();
        foreach (var (name, value) in new ChildEnvironment([]).OfThisProcess())
        {
            start.Environment[name] = value;
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using var program = Process.Start(start)!;
            return Talk(program, patience, input);
        }
        catch (Win32Exception missing)
        {
            throw new KeyringException("cannot be started", missing);
        }
    }

    private static (int ExitCode, string Output) Talk(Process program, TimeSpan patience, string input)
    {
        var output = Task.Run(() => ReadOutput(program.StandardOutput));
        var error = Task.Run(() => ReadOutput(program.StandardError));
        var asked = Task.Run(() => WriteInput(program.StandardInput, input));

        // Whoever inherited its pipes could hold them open: its own end is what is waited for.
        if (!program.WaitForExit(patience) || !Task.WaitAll([output, error, asked], patience))
        {
            program.Kill(entireProcessTree: true);
            throw new KeyringException($"did not answer within {patience.TotalSeconds:0} seconds");
        }

        return (program.ExitCode, output.Result);
    }

    private static void WriteInput(StreamWriter pipe, string input)
    {
        try
        {
            pipe.Write(input);
            pipe.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its exit code says why.
        }
    }

    private static string ReadOutput(StreamReader pipe)
    {
        var output = new char[LongestOutput];
        try
        {
            return new string(output, 0, pipe.ReadBlock(output));
        }
        catch (IOException)
        {
            return "";
        }
    }
}

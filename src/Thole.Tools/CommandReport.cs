using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>What a model is told of a command, in the words that users of such tools know.</summary>
internal static class CommandReport
{
    public static string Of(ProcessResult result, string shown, TimeSpan timeout)
    {
        var report = new StringBuilder();
        _ = result.End switch
        {
            ProcessEnd.TimedOut => report.Append(
                $"Stopped with all it had started, because {timeout.TotalMilliseconds:0} ms were over: give a longer timeout, or run it in the background.\n"
            ),
            ProcessEnd.Interrupted => report.Append("Stopped with all it had started, because it was interrupted.\n"),
            _ => report,
        };
        report.Append("Output: ").Append(shown.Length == 0 ? "(empty)" : shown);
        if (!shown.EndsWith('\n'))
        {
            report.Append('\n');
        }

        return report.Append(Ending(result)).ToString();
    }

    public static string Ending(ProcessResult result) =>
        result switch
        {
            { ExitCode: { } code } => $"Exit Code: {code}",
            { Signal: { } signal } => $"Signal: {signal}",
            _ => "Exit Code: (unknown)",
        };

    public static string? Error(ProcessResult result) =>
        result switch
        {
            { End: ProcessEnd.TimedOut } => ToolErrors.Timeout,
            { End: ProcessEnd.Interrupted } => ToolErrors.Interrupted,
            { ExitCode: 0 } => null,
            _ => ToolErrors.Failed,
        };
}

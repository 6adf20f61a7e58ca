using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>Runs a command line in the shell of the platform, to its end or in the background.</summary>
public sealed partial class RunShellCommandTool()
    : Tool<RunShellCommandTool.Arguments>(static () => RunShellCommandJson.Default.Arguments)
{
    private const int DefaultTimeout = 120_000;
    private const int MaxCharacters = 30_000;
    private const int MaxLines = 1_000;
    private const int MaxTitle = 120;

    public override string Name => "run_shell_command";

    public override string Description =>
        "Runs a command with bash -c (cmd on Windows), without a terminal or input. Long output is cut in the middle.";

    public override ToolKind Kind => ToolKind.Execute;

    public override string Schema =>
        """{"type":"object","properties":{"command":{"type":"string"},"directory":{"type":"string","description":"Default: the workspace root."},"timeout":{"type":"integer","minimum":1,"maximum":600000,"description":"Milliseconds, default 120000."},"is_background":{"type":"boolean","description":"For servers and watchers: returns an id for task_output and task_stop."},"description":{"type":"string","description":"What it is for, in a few words."}},"required":["command"]}""";

    // The model's own description may say anything: people see what is run.
    protected override string Title(Arguments arguments, ToolContext context)
    {
        var line = arguments.Command.AsSpan().Trim();
        var end = line.IndexOfAny('\r', '\n');
        var shown = end >= 0 ? line[..end] : line;
        return shown.Length > MaxTitle ? $"{shown[..(MaxTitle - 1)]}…"
            : end >= 0 ? $"{shown} …"
            : shown.ToString();
    }

    protected override string Subject(Arguments arguments, ToolContext context) => arguments.Command;

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) => [Touch.Anything];

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(arguments.Command))
        {
            return ToolResult.Failed(ToolErrors.InvalidArguments, "The command is empty: say what to run.");
        }

        var timeout = TimeSpan.FromMilliseconds(arguments.Timeout ?? DefaultTimeout);
        var request = new ProcessRequest(arguments.Command, DirectoryOf(arguments, context.Workspace), timeout);
        if (arguments.IsBackground is true)
        {
            var command = context.Processes.Start(request);
            return ToolResult.Ok(
                $"Started in the background.\nid: {command.Id}\nRead its output with task_output, end it with task_stop."
            ) with
            {
                Display = [new TerminalContent(arguments.Command, "", null)],
            };
        }

        var result = await context.Processes.RunAsync(request, cancellationToken);
        var (shown, wasCut) = OutputText.HeadAndTail(result.Output, MaxCharacters, MaxLines);
        var whole = wasCut ? await context.Blobs.TryStoreAsync(Encoding.UTF8.GetBytes(result.Output)) : null;
        return new ToolResult
        {
            Text = CommandReport.Of(result, shown, timeout),
            Error = CommandReport.Error(result),
            Display = [new TerminalContent(arguments.Command, shown, result.ExitCode)],
            FullText = whole,
        };
    }

    private static string DirectoryOf(Arguments arguments, IWorkspace workspace)
    {
        if (arguments.Directory is not { Length: > 0 } wanted)
        {
            return workspace.Root;
        }

        var directory = workspace.Resolve(wanted);
        return workspace.Stat(directory) switch
        {
            { Kind: FileKind.Directory } => directory.Full,
            null => throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"There is no directory '{wanted}': make it first, or leave 'directory' out for the workspace root."
            ),
            _ => throw new WorkspaceException(
                ToolErrors.InvalidArguments,
                $"'{wanted}' is not a directory: name the folder that the command shall run in."
            ),
        };
    }

    public sealed record Arguments(
        string Command,
        string? Directory = null,
        int? Timeout = null,
        bool? IsBackground = null,
        string? Description = null
    );

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class RunShellCommandJson : JsonSerializerContext;
}

using Thole.Core.Tools;

namespace Thole.Tools;

/// <summary>The hands we ship. To add one: write it in its own file, name it here.</summary>
public static class BuiltInTools
{
    public static IReadOnlyList<ITool> All { get; } =
    [
        new ApplyPatchTool(),
        new AskUserQuestionTool(),
        new EditTool(),
        new GlobTool(),
        new GrepSearchTool(),
        new ListDirectoryTool(),
        new ReadFileTool(),
        new RunShellCommandTool(),
        new TaskOutputTool(),
        new TaskStopTool(),
        new TodoWriteTool(),
        new WebFetchTool(),
        new WriteFileTool(),
    ];
}

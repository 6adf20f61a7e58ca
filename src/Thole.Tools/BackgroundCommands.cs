using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools;

/// <summary>How a model's id of a background command becomes the command.</summary>
internal static class BackgroundCommands
{
    extension(IProcessRunner processes)
    {
        public BackgroundCommand Known(string id) =>
            processes.Find(id)
            ?? throw new WorkspaceException(
                ToolErrors.InvalidArguments,
                processes.Background is [_, ..] all
                    ? $"There is no background command '{id}'; there are {string.Join(", ", all.Select(command => command.Id))}."
                    : $"There is no background command '{id}': none was started since this process began; start it again if it is needed."
            );
    }
}

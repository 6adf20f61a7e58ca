using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>News of the workspace in the daemon protocol: frames without a number, the same in every stream.</summary>
public static class NewsFrames
{
    /// <param name="originator">The client that caused it, so that a screen can pass over its own echo; null where it has no name.</param>
    public static DaemonFrame Of(WorkspaceNews news, DateTimeOffset at, string? originator)
    {
        var frame = news switch
        {
            ToolToggled toggled => new DaemonFrame(
                "tool_toggled",
                data =>
                {
                    data.WriteString("toolName", toggled.ToolName);
                    data.WriteBoolean("enabled", toggled.Enabled);
                    WriteOriginator(data, originator);
                }
            ),
            WorkspaceInitialized made => new DaemonFrame(
                "workspace_initialized",
                data =>
                {
                    data.WriteString("path", made.Path);
                    data.WriteString("action", Word(made.Action));
                    WriteOriginator(data, originator);
                }
            ),
            MemoryChanged changed => new DaemonFrame(
                "memory_changed",
                data =>
                {
                    data.WriteString("scope", Word(changed.Scope));
                    data.WriteString("filePath", changed.FilePath);
                    data.WriteString("mode", Word(changed.Mode));
                    data.WriteNumber("bytesWritten", changed.BytesWritten);
                    WriteOriginator(data, originator);
                }
            ),
            _ => throw new System.Diagnostics.UnreachableException($"{news.GetType().Name} has no frame."),
        };
        return frame with { At = at, Originator = originator };
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>Clients look for it in the data of these frames as well.</summary>
    private static void WriteOriginator(Utf8JsonWriter data, string? originator)
    {
        if (originator is not null)
        {
            data.WriteString("originatorClientId", originator);
        }
    }
}

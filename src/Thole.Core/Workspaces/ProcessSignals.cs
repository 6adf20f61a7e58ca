using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>What is asked of a process that is none of our children.</summary>
public static class ProcessSignals
{
    /// <summary>False where it cannot be asked: it is gone, another user's, or the system has no such word (Windows).</summary>
    public static bool AskToStop(int processId) =>
        !OperatingSystem.IsWindows() && processId > 1 && SpawnCalls.TryKill(processId, SpawnCalls.SigTerm) == 0;
}

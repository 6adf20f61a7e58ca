using System.Runtime.InteropServices;

namespace Thole.Core.Workspaces;

/// <summary>Keeps what this process holds (tokens, keys, what its environment said) from other processes of the same user.</summary>
public static partial class Inspection
{
    private const int SetDumpable = 4;

    /// <summary>On Linux: no core dump, no debugger, and no reading of our environment or memory. Children are not affected.</summary>
    public static void Deny()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = ProcessControl(SetDumpable, 0, 0, 0, 0); // where a sandbox forbids the call we run as before
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint first, nuint second, nuint third, nuint fourth);
}

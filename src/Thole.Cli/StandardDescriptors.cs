using Microsoft.Win32.SafeHandles;

namespace Thole.Cli;

/// <summary>
/// Whoever starts us may have closed standard input, output or error. The next file that is opened would then get that number, and
/// a session's log must never be what an error message is written into.
/// </summary>
internal static class StandardDescriptors
{
    private const int Last = 2;

    // Open as long as the process lives.
    private static readonly List<SafeFileHandle> s_kept = [];

    /// <summary>Fills the gaps with the null device. To be called before anything else opens a file.</summary>
    public static void Fill()
    {
        while (!OperatingSystem.IsWindows())
        {
            // Descriptors are given from the lowest free number on.
            var opened = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (opened.DangerousGetHandle() > Last)
            {
                opened.Dispose();
                return;
            }

            s_kept.Add(opened);
        }
    }
}

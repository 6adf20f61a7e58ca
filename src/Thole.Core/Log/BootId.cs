namespace Thole.Core.Log;

/// <summary>Tells one start of the machine from the next: what the kernel took before it stopped may be gone, what it took since is not.</summary>
public static class BootId
{
    /// <summary>Null where the system tells none: then every unclean stop counts as one of the machine.</summary>
    public static string? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

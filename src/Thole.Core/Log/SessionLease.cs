using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Thole.Core.Log;

/// <summary>
/// The right to write a session, held by one log at a time on this machine, and the number of the newest event that somebody may
/// have seen. It is a file of its own: POSIX drops SQLite's locks when any descriptor of the same file is closed in the
/// process, so that a lease on the log itself would, when it ends, disarm a reader in this process. Once made, the file stays until its
/// session is deleted; to remove it earlier would let two writers hold two files of one name.
/// </summary>
internal sealed partial class SessionLease : IDisposable
{
    private const int Exclusive = 2;
    private const int NonBlocking = 4;
    private const int WouldBlock = 11;
    private const int WouldBlockOnMac = 35;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _file;

    private SessionLease(FileStream file)
    {
        _file = file;
        Span<byte> content = stackalloc byte[64];
        var text = Encoding.ASCII.GetString(content[..RandomAccess.Read(_file.SafeFileHandle, content, 0)]).Split('\n');
        Mark = long.TryParse(text[0].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var mark) ? mark : 0;
        IsSuspect = text is [_, "suspect", ..];
    }

    /// <summary>
    /// The newest number ever shown, as far as it is known: not synced, so it may be too low after a power cut, never too high.
    /// Where it is higher than what the log holds, the log has lost its end.
    /// </summary>
    public long Mark { get; private set; }

    /// <summary>Somebody came upon damage: the next one to open the log looks at all of it.</summary>
    public bool IsSuspect { get; private set; }

    /// <summary>Null where another log, of this process or of another, has it.</summary>
    public static SessionLease? TryTake(string path)
    {
        FileStream file;
        try
        {
            // On Windows the share mode is the lock.
            file = LogFolder.CreateFile(
                path,
                FileMode.OpenOrCreate,
                OperatingSystem.IsWindows() ? FileShare.None : FileShare.ReadWrite
            );
        }
        catch (IOException held) when (held.HResult is WouldBlock or WouldBlockOnMac or SharingViolation)
        {
            return null; // .NET itself asks for a shared lock when it opens a file
        }

        if (!OperatingSystem.IsWindows() && Lock(file.SafeFileHandle, Exclusive | NonBlocking) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            file.Dispose();
            // Anything else is a file system without locks, where we cannot promise.
            return error is WouldBlock or WouldBlockOnMac
                ? null
                : throw new IOException($"The file system of '{path}' cannot lock files (error {error}).");
        }

        return new SessionLease(file);
    }

    /// <summary>The mark of a session that another may be writing.</summary>
    public static long ReadMark(string path)
    {
        try
        {
            var text = Encoding.ASCII.GetString(LogFolder.ReadUnlocked(path)).Split('\n')[0].Trim();
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var mark) ? mark : 0;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    public void Advance(long mark)
    {
        Mark = mark;
        Write();
    }

    /// <summary>All of the log was looked at, or made anew.</summary>
    public void Trust()
    {
        if (IsSuspect)
        {
            IsSuspect = false;
            Write();
        }
    }

    public void Suspect()
    {
        IsSuspect = true;
        Write();
    }

    public void Dispose() => _file.Dispose();

    private void Write()
    {
        try
        {
            // Padded to one length: a shorter text over a longer one would leave its end behind.
            var text = string.Create(CultureInfo.InvariantCulture, $"{Mark, -19}\n{(IsSuspect ? "suspect" : "       ")}\n");
            RandomAccess.Write(_file.SafeFileHandle, Encoding.ASCII.GetBytes(text), 0);
        }
        catch (IOException)
        {
            // A hint that cannot be written (disk full) must not fail the append that is already safe.
        }
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);
}

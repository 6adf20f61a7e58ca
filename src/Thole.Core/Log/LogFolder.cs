using System.Buffers;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>The folder that holds the logs, and what their files are called.</summary>
internal sealed partial class LogFolder(string path)
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    );

    public string Path { get; } = path;

    /// <summary>Ids come from outside and become file names: a dot, a slash or a name of our own files is none.</summary>
    public static bool IsValid(SessionId session) =>
        session.Value is { Length: > 0 and <= 64 } value && !value.AsSpan().ContainsAnyExcept(s_allowed);

    public string Log(SessionId session) => System.IO.Path.Join(Path, $"{Checked(session)}.db");

    public string Lease(SessionId session) => System.IO.Path.Join(Path, $"{Checked(session)}.lease");

    /// <summary>A log that was salvaged whole but does not yet stand in the damaged one's place.</summary>
    public string Salvaged(SessionId session) => System.IO.Path.Join(Path, $"{Checked(session)}.salvaged");

    public string Draft(SessionId session) => System.IO.Path.Join(Path, $"{Checked(session)}.draft");

    /// <summary>Every file that belongs to the session, whatever an accident left of it.</summary>
    public IReadOnlyList<string> Files(SessionId session) =>
        Directory.Exists(Path) ? Directory.GetFiles(Path, $"{Checked(session)}.*") : [];

    public bool Exists(SessionId session) => IsValid(session) && (File.Exists(Log(session)) || File.Exists(Salvaged(session)));

    public void Create()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public static FileStream CreateFile(string path, FileMode mode = FileMode.CreateNew, FileShare share = FileShare.ReadWrite)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = share | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    /// <summary>Makes names durable: what a directory lists is data of its own.</summary>
    public void Sync()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals names, and a directory cannot be flushed there.
        }

        var descriptor = Open(Path, 0);
        if (descriptor < 0)
        {
            throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
        }

        var failed = FileSync(descriptor) != 0;
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (failed)
        {
            throw new IOException(new Win32Exception(error).Message);
        }
    }

    private static string Checked(SessionId session) =>
        IsValid(session)
            ? session.Value
            : throw new RefusedException(
                "session_not_found",
                "There is no such session: an id has letters, digits, '-' and '_' only, 64 at most."
            );

    /// <summary>A small file that another may have locked: .NET's own reading asks for a lock, and would fail or be in the way.</summary>
    public static byte[] ReadUnlocked(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.ReadAllBytes(path);
        }

        using var file = new SafeFileHandle(Open(path, 0), ownsHandle: true);
        if (file.IsInvalid)
        {
            throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
        }

        var content = new byte[RandomAccess.GetLength(file)];
        _ = RandomAccess.Read(file, content, 0);
        return content;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    // .NET's own flush swallows a failed fsync on Linux, and cannot open a directory at all.
    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

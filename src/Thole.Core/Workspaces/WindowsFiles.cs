using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// The same promises on Windows: ReplaceFile keeps access list and streams; links are resolved before a file is opened and the result must
/// lie beneath the roots.
/// </summary>
internal static partial class WindowsFiles
{
    private const int SharingViolation = 32;
    private const int AccessDenied = 5;
    private const int CannotResolve = 1921;

    // Virus scanners and indexers hold a new file for some tens of milliseconds.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    public static FileKind KindOf(FileSystemInfo entry) =>
        entry.LinkTarget is not null ? FileKind.Link
        : entry.Attributes.HasFlag(FileAttributes.Directory) ? FileKind.Directory
        : entry.Attributes.HasFlag(FileAttributes.Device) ? FileKind.Other
        : FileKind.File;

    /// <summary>The path after all links; throws where that is outside of the roots.</summary>
    public static string Real(WorkspacePath path, IReadOnlyList<string> roots)
    {
        var real = path.Root;
        var links = 0;
        foreach (var name in path.Relative.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Join(real, name);
            if (new DirectoryInfo(real).LinkTarget is null)
            {
                continue;
            }

            real =
                ++links <= Place.MostLinks && EndOf(real) is { } target
                    ? target.FullName
                    : throw new WorkspaceException(
                        ToolErrors.NotRegularFile,
                        $"{path} could not be opened: its symbolic links go in a circle or are too many; name the real file."
                    );
            if (!roots.Any(root => PathText.IsBeneath(real, root)))
            {
                throw new WorkspaceException(
                    ToolErrors.OutsideWorkspace,
                    $"{path} is a link that leads out of the workspace; use a path inside, or start with --include-directories for the folder it leads to."
                );
            }
        }

        return real;
    }

    public static void Write(string path, ReadOnlySpan<byte> content, Basis basis)
    {
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var temporary = Path.Join(Path.GetDirectoryName(target), FileWriter.NewTemporaryName());
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            RequireBasis(target, basis, path);
            Publish(temporary, target, basis, path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new WorkspaceException(
                ToolErrors.WriteFailed,
                $"{path} could not be written: {refused.Message} Mend that and try again.",
                refused
            );
        }
        finally
        {
            File.Delete(temporary); // gone already where it has become the file
        }
    }

    /// <summary>Null where the links have no end.</summary>
    private static FileSystemInfo? EndOf(string link)
    {
        try
        {
            return Directory.ResolveLinkTarget(link, returnFinalTarget: true);
        }
        catch (IOException circle) when ((circle.HResult & 0xFFFF) == CannotResolve)
        {
            return null;
        }
    }

    private static void RequireBasis(string target, Basis basis, string shown)
    {
        var exists = File.Exists(target);
        if (basis.IsNothing && exists)
        {
            throw FileWriter.Exists(shown);
        }

        if (basis.Hash is not { } hash)
        {
            return;
        }

        using var file = exists ? File.OpenRead(target) : throw FileWriter.Changed(shown);
        if (!Convert.ToHexStringLower(SHA256.HashData(file)).Equals(hash, StringComparison.OrdinalIgnoreCase))
        {
            throw FileWriter.Changed(shown);
        }
    }

    private static void Publish(string temporary, string target, Basis basis, string shown)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            // MOVEFILE_WRITE_THROUGH 8 with MOVEFILE_REPLACE_EXISTING 1; a new file is never put over one that appeared meanwhile.
            var done =
                File.Exists(target) && !basis.IsNothing
                    ? ReplaceFile(target, temporary, null, 0, 0, 0)
                    : MoveFile(temporary, target, basis.IsNothing ? 8u : 9u);
            if (done)
            {
                return;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error is not (SharingViolation or AccessDenied) || TimeProvider.System.GetElapsedTime(started) > s_patience)
            {
                throw basis.IsNothing && File.Exists(target)
                    ? FileWriter.Exists(shown)
                    : new WorkspaceException(
                        ToolErrors.WriteFailed,
                        $"{shown} could not be replaced: {Marshal.GetPInvokeErrorMessage(error)} Close the program that holds it and try again."
                    );
            }

            Thread.Sleep(20);
        }
    }

    [LibraryImport("kernel32", EntryPoint = "ReplaceFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool ReplaceFile(
        string replaced,
        string replacement,
        string? backup,
        uint flags,
        nint exclude,
        nint reserved
    );

    [LibraryImport("kernel32", EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool MoveFile(string from, string to, uint flags);
}

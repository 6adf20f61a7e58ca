using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>What a client writes down for agents: text behind text, or in its place, in one file of the workspace or of the user.</summary>
public sealed partial class WorkspaceFiles
{
    private const string UserPrefix = "~user/";

    // Who changes the file and is no session of ours does so by hand: to lose twice against a person is rare.
    private const int MostTries = 5;

    public ValueTask<MemoryWritten> RememberAsync(MemoryWrite request, CancellationToken cancellationToken)
    {
        if (request is { Mode: MemoryMode.Append, Content.Length: 0 })
        {
            throw new RefusedException(FileRefusals.ParseError, "content is empty: say what shall be written down.");
        }

        var expected = request.ExpectedHash is { } hash ? DigitsOf(hash) : null;
        return request.Scope is MemoryScope.Global
            ? RememberForUserAsync(request, expected, cancellationToken)
            : ChangeAsync(
                InstructionFile,
                mayMakeProgramsRun: false,
                place =>
                    WriteDownAsync(
                        place.Shown,
                        request,
                        expected,
                        async () =>
                        {
                            if (_workspace.Stat(place) is null)
                            {
                                return null;
                            }

                            Require(place, FileLimits.MaxMemoryBytes, "shorten it first");
                            return await _workspace.ReadAsync(place, FileLimits.MaxMemoryBytes, cancellationToken);
                        },
                        (content, basis) => _workspace.WriteAsync(place, content, basis, cancellationToken)
                    ),
                cancellationToken
            );
    }

    private ValueTask<MemoryWritten> RememberForUserAsync(
        MemoryWrite request,
        string? expected,
        CancellationToken cancellationToken
    )
    {
        if (_userFolder is not { } folder)
        {
            throw new RefusedException(
                FileRefusals.InvalidArgument,
                "There is no folder for instructions of the user here: use the scope workspace."
            );
        }

        const string Shown = UserPrefix + InstructionFile;
        var path = Path.Join(folder, InstructionFile);
        return RefusingAsync(
            Shown,
            async () =>
            {
                using var inside = await EnterAsync(path, Shown, cancellationToken);
                FileWriter.CreateDirectory(folder);
                return await WriteDownAsync(
                    Shown,
                    request,
                    expected,
                    () => ValueTask.FromResult(ReadOfUser(path, cancellationToken)),
                    (content, basis) =>
                    {
                        new FileWriter(_time).Write(path, content.Span, basis is null ? Basis.Nothing : Basis.Content(basis));
                        return ValueTask.CompletedTask;
                    }
                );
            }
        );
    }

    private static async ValueTask<MemoryWritten> WriteDownAsync(
        string shown,
        MemoryWrite request,
        string? expected,
        Func<ValueTask<byte[]?>> readAsync,
        Func<ReadOnlyMemory<byte>, string?, ValueTask> writeAsync
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            var old = await readAsync();
            var found = old is null ? null : TextFile.HashOf(old);
            if (expected is not null && expected != found)
            {
                throw new RefusedException(
                    FileRefusals.HashMismatch,
                    $"{shown} has other content than expectedHash says, and nothing was written: read it again and use its hash."
                );
            }

            var content = Next(shown, request, old);
            var isChanged = old is null || !content.AsSpan().SequenceEqual(old);
            try
            {
                if (isChanged)
                {
                    await writeAsync(content, found);
                }
            }
            catch (WorkspaceException moved)
                when (moved.Error is ToolErrors.ChangedSinceRead or ToolErrors.AlreadyExists && attempt < MostTries)
            {
                continue; // somebody else was in between; what they wrote is read, and stays
            }

            var gained = request.Mode is MemoryMode.Append ? content.Length - (old?.Length ?? 0) : content.Length;
            return new MemoryWritten(
                Ok: true,
                shown,
                isChanged ? gained : 0,
                request.Mode,
                isChanged,
                HashPrefix + TextFile.HashOf(content)
            );
        }
    }

    /// <summary>The file as it shall be, in its own encoding and with its own line endings.</summary>
    private static byte[] Next(string shown, MemoryWrite request, byte[]? old)
    {
        var added = WithEnding(request.Content, "\n");
        if (added.Contains('\0'))
        {
            throw new RefusedException(
                FileRefusals.ParseError,
                $"{shown} would become a binary file: send text without NUL characters."
            );
        }

        var known =
            TextFile.Decode(old ?? [])
            ?? throw new RefusedException(FileRefusals.Binary, $"{shown} is a binary file, not text: move it away.");
        var isBehind = request.Mode is MemoryMode.Append && known.Text.Length > 0;
        var text =
            !isBehind ? added
            : known.Text.EndsWith('\n') ? known.Text + added
            : $"{known.Text}\n{added}";
        byte[] content;
        try
        {
            content = known.EncodeRaw(known.Rewrite(text));
        }
        catch (WorkspaceException unencodable)
        {
            throw new RefusedException(FileRefusals.ParseError, unencodable.Message, unencodable);
        }

        return content.Length <= FileLimits.MaxMemoryBytes
            ? content
            : throw new RefusedException(
                FileRefusals.TooLarge,
                $"{shown} would have {content.Length} bytes, and sessions read at most {FileLimits.MaxMemoryBytes}: write less, or shorten it first."
            );
    }

    /// <summary>The user's folder may be made of links into a folder of dotfiles; what is no file is still not opened.</summary>
    private static byte[]? ReadOfUser(string path, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }

        using var file = Libc.Open(path, OpenFlags.Read | OpenFlags.NonBlocking);
        if (file.IsInvalid)
        {
            var error = Libc.LastError;
            return error is Errno.ENOENT ? null : throw Errno.WhileReading(error, path);
        }

        var status = Libc.Status(file) ?? throw Errno.WhileReading(Libc.LastError, path);
        if (status.Kind is not FileKind.File)
        {
            throw new WorkspaceException(ToolErrors.NotRegularFile, $"{path} is not a regular file; move it away.");
        }

        return FileContent.Read(file, status.Length, FileLimits.MaxMemoryBytes, path, cancellationToken)
            ?? throw new WorkspaceException(
                ToolErrors.FileTooLarge,
                $"{path} has more than the {FileLimits.MaxMemoryBytes} bytes that sessions read; shorten it first."
            );
    }
}

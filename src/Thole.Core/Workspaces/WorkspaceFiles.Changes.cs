using System.Buffers;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>What a client may change: only what it says it knows, by the hash of the content.</summary>
public sealed partial class WorkspaceFiles
{
    private const string InstructionFile = "AGENTS.md";
    private const int HashDigits = 64;
    private const int NamedPlaces = 10;

    // Long enough for a command that is about to end; a client that waits longer has given up anyway.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");

    public ValueTask<FileWritten> WriteAsync(FileWrite request, CancellationToken cancellationToken)
    {
        var basis = request.Mode is FileWriteMode.Replace ? DigitsOf(request.ExpectedHash) : null;
        return ChangeAsync(
            request.Path,
            request.MayMakeProgramsRun,
            async place =>
            {
                var known = basis is null ? null : await ReadAsync(place, basis, cancellationToken);
                var written = await WriteAsync(place, () => Encode(request, known), basis, cancellationToken);
                return new FileWritten(
                    place.Shown,
                    request.Mode,
                    Created: basis is null,
                    written.Length,
                    HashPrefix + written.File.Hash,
                    written.File.EncodingName,
                    written.File.HasMark,
                    EndingOf(written.File),
                    Ignored(place)
                );
            },
            cancellationToken
        );
    }

    public ValueTask<FileEdited> EditAsync(FileEdit request, CancellationToken cancellationToken)
    {
        var basis = DigitsOf(request.ExpectedHash);
        if (request.OldText.Length == 0)
        {
            throw new RefusedException(FileRefusals.ParseError, "oldText is empty: name the text that newText replaces.");
        }

        return ChangeAsync(
            request.Path,
            request.MayMakeProgramsRun,
            async place =>
            {
                var known = await ReadAsync(place, basis, cancellationToken);
                var wanted = WithEnding(request.OldText, "\n");
                var change = new TextChange(OnlyPlaceOf(wanted, known, place), wanted.Length, WithEnding(request.NewText, "\n"));
                var written = await WriteAsync(place, () => known.EncodeRaw(known.Replace([change])), basis, cancellationToken);
                return new FileEdited(
                    place.Shown,
                    Replacements: 1,
                    written.Length,
                    HashPrefix + written.File.Hash,
                    written.File.EncodingName,
                    written.File.HasMark,
                    EndingOf(written.File),
                    Ignored(place)
                );
            },
            cancellationToken
        );
    }

    public ValueTask<WorkspaceInit> InitAsync(bool force, CancellationToken cancellationToken) =>
        ChangeAsync(
            InstructionFile,
            mayMakeProgramsRun: false,
            async place =>
            {
                if (_workspace.Stat(place) is null)
                {
                    await _workspace.WriteAsync(place, ReadOnlyMemory<byte>.Empty, basedOn: null, cancellationToken);
                    return new WorkspaceInit(place.Shown, InitAction.Created);
                }

                Require(place, FileLimits.MaxTextBytes, "move it away");
                var bytes = await _workspace.ReadAsync(place, FileLimits.MaxTextBytes, cancellationToken);
                if (bytes.AsSpan().TrimStart(" \t\r\n"u8).IsEmpty)
                {
                    return new WorkspaceInit(place.Shown, InitAction.Noop);
                }

                if (!force)
                {
                    return new WorkspaceInit(place.Shown, InitAction.Conflict, bytes.Length);
                }

                await _workspace.WriteAsync(place, ReadOnlyMemory<byte>.Empty, TextFile.HashOf(bytes), cancellationToken);
                return new WorkspaceInit(place.Shown, InitAction.Overwrote);
            },
            cancellationToken
        );

    private ValueTask<T> ChangeAsync<T>(
        string path,
        bool mayMakeProgramsRun,
        Func<WorkspacePath, ValueTask<T>> change,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            path,
            async place =>
            {
                if (ProtectedPaths.IsInGit(place.Relative))
                {
                    throw new RefusedException(
                        FileRefusals.PermissionDenied,
                        $"{place} is git's own: use git commands to change what is in .git."
                    );
                }

                if (ProtectedPaths.IsProtected(place.Relative) && !mayMakeProgramsRun)
                {
                    throw new RefusedException(
                        FileRefusals.PermissionDenied,
                        $"{place} makes programs run: only a client with the right to administer may write it."
                    );
                }

                using var inside = await EnterAsync(place.Full, place.ToString(), cancellationToken);
                return await change(place);
            }
        );

    private async ValueTask<IDisposable> EnterAsync(string path, string shown, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await _gate.EnterAsync([new GateKey(path, IsWrite: true)], either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(
                FileRefusals.IoError,
                $"{shown} may be in use by a call that runs in a session: try again when that has ended."
            );
        }
    }

    private async ValueTask<TextFile> ReadAsync(WorkspacePath place, string hash, CancellationToken cancellationToken)
    {
        Require(place, FileLimits.MaxTextBytes, "change it with a command");
        var bytes = await _workspace.ReadAsync(place, FileLimits.MaxTextBytes, cancellationToken);
        var found = TextFile.HashOf(bytes);
        return string.Equals(found, hash, StringComparison.Ordinal)
            ? Decode(place, bytes)
            : throw new RefusedException(
                FileRefusals.HashMismatch,
                $"{place} has other content than expectedHash says, and nothing was written: read it again and use its hash."
            );
    }

    private async ValueTask<(TextFile File, int Length)> WriteAsync(
        WorkspacePath place,
        Func<byte[]> encode,
        string? basis,
        CancellationToken cancellationToken
    )
    {
        byte[] bytes;
        try
        {
            bytes = encode();
        }
        catch (WorkspaceException unencodable)
        {
            throw new RefusedException(FileRefusals.ParseError, unencodable.Message, unencodable);
        }

        if (bytes.Length > FileLimits.MaxWriteBytes)
        {
            throw new RefusedException(
                FileRefusals.TooLarge,
                $"{place} would have {bytes.Length} bytes, more than the {FileLimits.MaxWriteBytes} that are written at once: write less."
            );
        }

        var file =
            TextFile.Decode(bytes)
            ?? throw new RefusedException(
                FileRefusals.ParseError,
                $"{place} would become a binary file: send text without NUL characters."
            );
        await _workspace.WriteAsync(place, bytes, basis, cancellationToken);
        return (file, bytes.Length);
    }

    private static byte[] Encode(FileWrite request, TextFile? known)
    {
        var raw =
            request.LineEnding is { } ending ? WithEnding(request.Content, ending is LineEnding.Crlf ? "\r\n" : "\n")
            : known is null ? request.Content
            : known.Rewrite(request.Content);
        if (known is not null && request is { Encoding: null, Bom: null })
        {
            return known.EncodeRaw(raw);
        }

        var mark = request.Bom ?? (request.Encoding is null ? known?.HasMark : null);
        return TextFile.Encode(TextEncodings.Find(request.Encoding ?? known?.EncodingName ?? "utf-8", mark), raw);
    }

    private static int OnlyPlaceOf(string wanted, TextFile file, WorkspacePath place)
    {
        List<int> lines = [];
        var (first, count) = (-1, 0);
        for (
            var at = file.Text.IndexOf(wanted, StringComparison.Ordinal);
            at >= 0;
            at = file.Text.IndexOf(wanted, at + 1, StringComparison.Ordinal)
        )
        {
            first = count == 0 ? at : first;
            if (count++ < NamedPlaces)
            {
                lines.Add(file.Text.AsSpan(0, at).Count('\n') + 1);
            }
        }

        return count switch
        {
            0 => throw new RefusedException(
                FileRefusals.TextNotFound,
                $"oldText does not occur in {place}: read the lines to change and copy them exactly."
            ),
            1 => first,
            _ => throw new RefusedException(
                FileRefusals.AmbiguousText,
                $"oldText occurs {count} times in {place}, at lines {string.Join(", ", lines)}{(count > NamedPlaces ? ", …" : "")}: "
                    + "add surrounding lines until it names one place."
            ),
        };
    }

    private static string WithEnding(string text, string ending)
    {
        var plain = text.Replace("\r\n", "\n", StringComparison.Ordinal);
        return ending is "\n" ? plain : plain.Replace("\n", ending, StringComparison.Ordinal);
    }

    private static string DigitsOf(string? hash) =>
        hash is { Length: 71 }
        && hash.StartsWith(HashPrefix, StringComparison.Ordinal)
        && hash.AsSpan(HashPrefix.Length).IndexOfAnyExcept(s_hexDigits) < 0
            ? hash[^HashDigits..]
            : throw new RefusedException(
                FileRefusals.ParseError,
                "expectedHash must be sha256: and 64 lower-case hex digits, as an answer about the file gives it."
            );
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Tools.Documents;
using Thole.Tools.Editing;

namespace Thole.Tools;

/// <summary>
/// Shows a file: text by windows of lines, images as images, notebooks as cells, PDF documents as the text of their pages. Lines
/// carry no numbers: what the model copies into an edit is then exactly what the file holds.
/// </summary>
public sealed partial class ReadFileTool() : Tool<ReadFileTool.Arguments>(static () => ReadFileJson.Default.Arguments)
{
    public override string Name => "read_file";
    public override string Description =>
        $"Reads a text file (at most {FileWindow.MaxLines} lines at a time), image, notebook or PDF.";
    public override ToolKind Kind => ToolKind.Read;
    public override string Schema =>
        """{"type":"object","properties":{"file_path":{"type":"string"},"offset":{"type":"integer","minimum":0,"description":"First line, from 0"},"limit":{"type":"integer","minimum":1},"pages":{"type":"string","description":"Of a PDF: 3 or 1-5, at most 20"}},"required":["file_path"]}""";

    protected override string Title(Arguments arguments, ToolContext context) =>
        $"Read {context.Workspace.Resolve(arguments.FilePath)}";

    protected override IReadOnlyList<Touch> Touches(Arguments arguments, ToolContext context) =>
        [Touch.Read(context.Workspace.Resolve(arguments.FilePath))];

    protected override string? Subject(Arguments arguments, ToolContext context) =>
        context.Workspace.Resolve(arguments.FilePath).ToString();

    protected override async ValueTask<ToolResult> RunAsync(
        Arguments arguments,
        IReadOnlyList<string> answers,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var path = context.Workspace.Resolve(arguments.FilePath);
        var offset = Math.Max(0, arguments.Offset ?? 0);
        var limit = Math.Clamp(arguments.Limit ?? FileWindow.MaxLines, 1, FileWindow.MaxLines);
        switch (context.Workspace.Stat(path))
        {
            case null:
                return ToolResult.Failed(
                    ToolErrors.FileNotFound,
                    $"File not found: {path}. Look for it with glob or list_directory."
                );
            case { Kind: FileKind.Directory }:
                return ToolResult.Failed(ToolErrors.IsDirectory, $"{path} is a directory: use list_directory.");
            case { Kind: FileKind.Other }:
                return ToolResult.Failed(
                    ToolErrors.NotRegularFile,
                    $"{path} is a device, socket or pipe: only regular files are read."
                );
            case { Length: > FileChange.MaxBytes }:
                return await ReadLongAsync(path, offset, limit, context, cancellationToken);
        }

        var bytes = await context.Workspace.ReadAsync(path, FileChange.MaxBytes, cancellationToken);
        if (PdfText.IsPdf(bytes))
        {
            return ToolResult.Ok(
                await Task.Run(() => PdfText.Render(bytes, arguments.Pages, path, cancellationToken), cancellationToken)
            );
        }

        if (arguments.Pages is { Length: > 0 })
        {
            return ToolResult.Failed(
                ToolErrors.InvalidArguments,
                $"{path} is no PDF: leave pages out, use offset and limit for lines."
            );
        }

        if (ImageHeader.Read(bytes) is { } image)
        {
            return await ShowImageAsync(path, bytes, image, context, cancellationToken);
        }

        return TextFile.Decode(bytes) is not { } file
                ? ToolResult.Failed(
                    ToolErrors.ReadFailed,
                    $"{path} is a binary file of {bytes.Length} bytes: look at it with a command."
                )
            : path.Relative.EndsWith(".ipynb", StringComparison.OrdinalIgnoreCase) && arguments is { Offset: null, Limit: null }
                ? ToolResult.Ok(NotebookText.Render(file.Text, path))
            : ShowText(path, file, offset, limit, context);
    }

    private static ToolResult ShowText(WorkspacePath path, TextFile file, int offset, int limit, ToolContext context)
    {
        var total = file.LineCount;
        if (offset > 0 && offset >= total)
        {
            return ToolResult.Failed(ToolErrors.InvalidArguments, $"{path} has {total} lines: offset must be less than that.");
        }

        var window = FileWindow.Open(file.Text, offset, limit);
        var whole = total == 0 || (window.Seen is [var only] && only == new LineRange(1, total));
        var fact = new FileSeen(path.Full, file.Hash, whole ? null : window.Seen);
        context.Files.Apply(fact);
        var text =
            total == 0 ? "The file is empty."
            : window.First == 1 && window.Last == total ? window.Text
            : Headed(window, total);
        return ToolResult.Ok(text) with { Facts = [fact] };
    }

    private static async ValueTask<ToolResult> ReadLongAsync(
        WorkspacePath path,
        int offset,
        int limit,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        await using var stream = context.Workspace.OpenRead(path);
        if (await LongFile.ReadAsync(stream, offset, limit, cancellationToken) is not var (window, total))
        {
            return ToolResult.Failed(
                ToolErrors.ReadFailed,
                $"{path} is longer than {FileChange.MaxBytes} bytes and no text in UTF-8 or a single-byte encoding: look at it with a command."
            );
        }

        return window.Last < window.First
            ? ToolResult.Failed(ToolErrors.InvalidArguments, $"{path} has {total} lines: offset must be less than that.")
            : ToolResult.Ok(
                $"{Headed(window, total)}\n\n[The file is longer than {FileChange.MaxBytes} bytes: edit cannot change it, a command can.]"
            );
    }

    private static string Headed(FileWindow window, long total) =>
        $"Showing lines {window.First}-{window.Last} of {total} total lines.\n\n---\n\n{window.Text}";

    private static async ValueTask<ToolResult> ShowImageAsync(
        WorkspacePath path,
        byte[] bytes,
        ImageHeader image,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (bytes.Length > ImageHeader.MaxBytes)
        {
            return ToolResult.Failed(
                ToolErrors.FileTooLarge,
                $"{path} is an image of {bytes.Length} bytes, more than {ImageHeader.MaxBytes}: make a smaller copy with a command and read that."
            );
        }

        if (!image.IsSane)
        {
            return ToolResult.Failed(
                ToolErrors.ReadFailed,
                $"{path} begins like {image.MediaType} but is damaged, or a side is longer than {ImageHeader.MaxSide} pixels: convert it with a command."
            );
        }

        var content = new ImageContent(image.MediaType, await context.Blobs.StoreAsync(bytes, cancellationToken));
        return ToolResult.Ok($"{path}: {image.MediaType}, {image.Width} × {image.Height} pixels.") with
        {
            Images = [content],
            Display = [content],
        };
    }

    public sealed record Arguments(
        [property: JsonPropertyName("file_path")] string FilePath,
        int? Offset = null,
        int? Limit = null,
        string? Pages = null
    );

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Arguments))]
    private sealed partial class ReadFileJson : JsonSerializerContext;
}

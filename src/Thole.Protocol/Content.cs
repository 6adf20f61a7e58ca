using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>A piece of what is shown, to a model or on a screen. The tool says what it is; the screen decides how it looks.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TextContent), "text")]
[JsonDerivedType(typeof(ImageContent), "image")]
[JsonDerivedType(typeof(FileContent), "file")]
[JsonDerivedType(typeof(DiffContent), "diff")]
[JsonDerivedType(typeof(TerminalContent), "terminal")]
public abstract record Content;

/// <summary>Text is never null: a prompt without it would be acknowledged and could not be read back.</summary>
public sealed record TextContent(string Text) : Content
{
    public string Text { get; init; } = Text ?? throw new ArgumentNullException(nameof(Text));
}

/// <summary>Something that is no text, kept as a blob of the session. <paramref name="MediaType"/> is an IANA name such as <c>image/png</c>.</summary>
public abstract record MediaContent(string MediaType, BlobId Blob) : Content;

public sealed record ImageContent(string MediaType, BlobId Blob) : MediaContent(MediaType, Blob);

/// <summary>A document or a sound: <c>application/pdf</c>, <c>audio/wav</c>.</summary>
/// <param name="Name">What people call it; no path.</param>
public sealed record FileContent(string MediaType, BlobId Blob, string? Name = null) : MediaContent(MediaType, Blob);

/// <summary>A change of one file as a unified diff; <paramref name="IsNew"/> where there was no file before.</summary>
public sealed record DiffContent(string Path, string UnifiedDiff, bool IsNew = false) : Content;

/// <summary>What a command printed; <paramref name="ExitCode"/> is absent while it runs or where a signal ended it.</summary>
public sealed record TerminalContent(string Command, string Output, int? ExitCode = null) : Content;

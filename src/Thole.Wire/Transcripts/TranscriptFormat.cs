using System.Text;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>A way to write a whole session out. A new one is a file beside this one, and a line in <see cref="All"/>.</summary>
/// <param name="Name">As a person names it.</param>
/// <param name="Extension">Of a file of it; without the dot.</param>
/// <param name="MediaType">With its encoding.</param>
/// <param name="WriteAsync">Writes as the events come; the stream stays open.</param>
public sealed record TranscriptFormat(
    string Name,
    string Extension,
    string MediaType,
    Func<SessionSummary, IAsyncEnumerable<Envelope>, Stream, CancellationToken, Task> WriteAsync
)
{
    /// <summary>The first is the one that is meant where none is named.</summary>
    public static IReadOnlyList<TranscriptFormat> All { get; } =
    [
        new("markdown", "md", "text/markdown; charset=utf-8", Texts(MarkdownTranscript.WriteAsync)),
        new("json", "json", "application/json; charset=utf-8", JsonTranscript.WriteAsync),
        new(
            "jsonl",
            "jsonl",
            "application/x-ndjson; charset=utf-8",
            (_, events, output, cancellationToken) => JsonLinesTranscript.WriteAsync(events, output, cancellationToken)
        ),
        new("html", "html", "text/html; charset=utf-8", Texts(HtmlTranscript.WriteAsync)),
    ];

    /// <summary>By its name or extension; null where there is none.</summary>
    public static TranscriptFormat? Find(string name) =>
        All.FirstOrDefault(format => format.Name == name || format.Extension == name);

    private static Func<SessionSummary, IAsyncEnumerable<Envelope>, Stream, CancellationToken, Task> Texts(
        Func<SessionSummary, IAsyncEnumerable<Envelope>, TextWriter, CancellationToken, Task> writeAsync
    ) =>
        async (session, events, output, cancellationToken) =>
        {
            await using var text = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true);
            await writeAsync(session, events, text, cancellationToken);
        };
}

using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Server.Streams;
using Thole.Wire.Daemon;
using Thole.Wire.Transcripts;

namespace Thole.Server.Routes;

/// <summary>What happened: as it comes, from any number on, in pages, and written out.</summary>
internal sealed class EventRoutes(DaemonParts parts, SessionDirectory sessions, Attendance attendance, Bulletin bulletin)
{
    private const int PageLength = 200;
    private const string EpochHeader = "X-Qwen-Event-Epoch";

    private readonly DaemonDialect _dialect = new(parts.Live);

    public IReadOnlyList<Operation> Operations =>
        [
            new(
                "GET",
                "/session/{id}/events",
                "subscribeEvents",
                Scope.Observe,
                "The events of a session in the frames of the daemon protocol."
            )
            {
                Handle = async exchange =>
                    await StreamAsync(
                        exchange,
                        _dialect,
                        parts,
                        await sessions.RequireAsync(new SessionId(exchange.Route("id")), exchange.Aborted),
                        sessions,
                        attendance,
                        bulletin
                    ),
                Kind = ReplyKind.EventStream,
                Parameters =
                [
                    .. StreamParameters,
                    new Parameter(ParameterPlace.Query, "snapshot", "Tells the state first, also without a cursor.")
                    {
                        Type = ParameterType.Flag,
                    },
                ],
            },
            new("GET", "/session/{id}/transcript", "transcriptPage", Scope.Observe, "A page of the frames of a session.")
            {
                Handle = TranscriptAsync,
                Reply = SessionJson.Default.TranscriptPage,
                Parameters =
                [
                    new Parameter(ParameterPlace.Query, "cursor", "The nextCursor of the page before.")
                    {
                        Length = 20,
                        Code = "invalid_transcript_cursor",
                    },
                    new Parameter(ParameterPlace.Query, "direction", "backward: the newest first.")
                    {
                        Words = ["forward", "backward"],
                    },
                    new Parameter(ParameterPlace.Query, "limit", "Events of a page.")
                    {
                        Type = ParameterType.Integer,
                        Least = 1,
                        Most = 1000,
                    },
                ],
            },
            new("GET", "/session/{id}/export", "exportSession", Scope.Observe, "The whole session, written out.")
            {
                Handle = async exchange =>
                    await ExportAsync(
                        exchange,
                        parts,
                        await sessions.RequireAsync(new SessionId(exchange.Route("id")), exchange.Aborted),
                        sessions
                    ),
                Kind = ReplyKind.Bytes,
                MediaTypes = ExportTypes,
                Parameters = ExportParameters,
            },
        ];

    public static IReadOnlyList<string> ExportTypes { get; } =
    [.. TranscriptFormat.All.Select(format => format.MediaType.Split(';')[0])];

    public static IReadOnlyList<Parameter> ExportParameters { get; } =
    [
        new Parameter(ParameterPlace.Query, "format", "md, json, jsonl or html; md if absent.")
        {
            Words = [.. TranscriptFormat.All.Select(format => format.Extension)],
        },
    ];

    /// <summary>Of a stream in any dialect.</summary>
    public static IReadOnlyList<Parameter> StreamParameters { get; } =
    [
        new Parameter(
            ParameterPlace.Header,
            "Last-Event-ID",
            "The number of the last event the reader has; 0 for everything from the beginning."
        )
        {
            Length = 20,
            Code = "invalid_cursor",
        },
        new Parameter(ParameterPlace.Header, EpochHeader, "Whose number the cursor is: the epoch that came with it.")
        {
            Length = 128,
            Code = "invalid_cursor",
        },
        new Parameter(ParameterPlace.Query, "maxQueued", "How far a reader may fall behind before it is warned.")
        {
            Type = ParameterType.Integer,
            Least = 16,
            Most = 2048,
            Code = "invalid_max_queued",
        },
    ];

    /// <summary>A stream in any dialect: from the cursor, or only what follows where there is none.</summary>
    public static async Task StreamAsync(
        Exchange exchange,
        StreamDialect dialect,
        DaemonParts parts,
        SessionStatus status,
        SessionDirectory sessions,
        Attendance attendance,
        Bulletin bulletin
    )
    {
        var after = exchange.Header("Last-Event-ID") is { } seen
            ? NumberUpTo(seen, status.Latest) ?? throw NeverAnEvent(status.Latest)
            : (long?)null;
        if (after is not null && exchange.Header(EpochHeader) is { } epoch && epoch != status.Session.Value)
        {
            throw NeverAnEvent(status.Latest);
        }

        var actor = attendance.Identify(status.Session, exchange);
        var most = parts.Sessions.MaxReadersPerSession;
        using var seat =
            attendance.TryRead(status.Session, actor, exchange.Identity, most)
            ?? throw new ProblemException(
                429,
                "subscriber_limit_exceeded",
                $"{most} readers listen to this session already; close one.",
                ("limit", most)
            )
            {
                RetryAfter = TimeSpan.FromSeconds(5),
            };
        exchange.SetHeader(EpochHeader, status.Session.Value);
        exchange.SetHeader("X-Qwen-SSE-Stream-Id", parts.NewId().ToString("d"));
        await new EventStream(parts, sessions, dialect, bulletin, exchange, status.Session).RunAsync(after, status);
    }

    /// <summary>All that has happened until now, written out.</summary>
    public static async Task ExportAsync(Exchange exchange, DaemonParts parts, SessionStatus status, SessionDirectory sessions)
    {
        var format = TranscriptFormat.Find(exchange.Query("format") ?? "") ?? TranscriptFormat.All[0];
        var events = sessions.ReadPastAsync(status.Session, 0, status.Latest, exchange.Aborted);
        var summary =
            await parts.Catalog.FindAsync(status.Session.Value, exchange.Aborted)
            ?? throw SessionDirectory.NotFound(status.Session);
        var response = exchange.Context.Response;
        response.ContentType = format.MediaType;
        exchange.SetHeader("Content-Disposition", $"attachment; filename=\"{status.Session}.{format.Extension}\"");
        // A page that is opened in spite of that does nothing, and has no origin that could ask anything of us.
        exchange.SetHeader("Content-Security-Policy", $"{HtmlTranscript.Policy}; frame-ancestors 'none'; sandbox");
        await format.WriteAsync(summary, events, response.BodyWriter.AsStream(leaveOpen: true), exchange.Aborted);
    }

    /// <summary>Null where it is no number, or a larger one.</summary>
    private static long? NumberUpTo(string text, long most) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number : null;

    private static ProblemException NeverAnEvent(long latest) =>
        new(
            400,
            "invalid_cursor",
            $"`Last-Event-ID` is the number of an event of this session, 0 to {latest}; 0 gives everything.",
            ("latest", latest)
        );

    private static ProblemException NoPage() =>
        new(400, "invalid_transcript_cursor", "`cursor` is the nextCursor of another page; leave it out for the first.");

    private async Task TranscriptAsync(Exchange exchange)
    {
        var status = await sessions.RequireAsync(new SessionId(exchange.Route("id")), exchange.Aborted);
        var limit = exchange.QueryNumber("limit") ?? PageLength;
        var isBackward = exchange.Query("direction") is "backward";
        var cursor = exchange.Query("cursor") is { } page ? NumberUpTo(page, status.Latest + 1) ?? throw NoPage() : (long?)null;

        // Numbers are dense but for the jumps after a power cut: a page that spans one is shorter, and none is missed.
        var through = isBackward ? (cursor ?? status.Latest + 1) - 1 : Math.Min(status.Latest, (cursor ?? 0) + limit);
        var after = isBackward ? Math.Max(0, through - limit) : cursor ?? 0;
        var frames = new DaemonFrames(status.Session, new Past());
        List<JsonElement> events = [];
        await foreach (var envelope in sessions.ReadPastAsync(status.Session, after, through, exchange.Aborted))
        {
            events.AddRange(frames.Of(envelope).Select(Json));
        }

        var hasMore = isBackward ? after > 0 : through < status.Latest;
        var next = (isBackward ? after + 1 : through).ToString(CultureInfo.InvariantCulture);
        await exchange.ReplyAsync(
            new TranscriptPage(1, status.Session.Value, events, hasMore, hasMore ? next : null),
            SessionJson.Default.TranscriptPage
        );
    }

    private static JsonElement Json(DaemonFrame frame)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            frame.WriteJson(writer);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>A page tells what happened, not what is so now.</summary>
    private sealed class Past : IFrameContext
    {
        public bool IsClosed => false;

        public OpenQuestion? OpenCall(CallId call) => null;

        public string? Asker => null;
    }
}

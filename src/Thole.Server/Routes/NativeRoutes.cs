using System.Text.Json.Serialization;
using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Server.Streams;

namespace Thole.Server.Routes;

/// <summary>
/// The runtime's own door over the wire: its commands, its events, its questions, each as it is. Our own clients use it; what the daemon
/// protocol has no word for is here.
/// </summary>
internal sealed partial class NativeRoutes(DaemonParts parts, SessionDirectory sessions, Attendance attendance, Bulletin bulletin)
{
    private readonly NativeDialect _dialect = new();

    public IReadOnlyList<Operation> Operations =>
        [
            new("POST", "/v1/sessions", "openSession", Scope.Prompt, "Opens a new session, or one that is known.")
            {
                Handle = OpenAsync,
                Request = NativeJson.Default.OpenRequest,
                Reply = ProtocolJson.Default.SessionStatus,
                Errors = [409, 503],
            },
            new("GET", "/v1/sessions", "listSessions", Scope.Observe, "The sessions of the workspace, newest first.")
            {
                Handle = ListAsync,
                Reply = ProtocolJson.Default.IReadOnlyListSessionSummary,
                Parameters =
                [
                    new Parameter(ParameterPlace.Query, "limit", "At most so many.")
                    {
                        Type = ParameterType.Integer,
                        Least = 1,
                        Most = 1000,
                    },
                ],
            },
            new("GET", "/v1/sessions/{id}", "getSession", Scope.Observe, "What is true of a session now.")
            {
                Handle = async exchange =>
                    await exchange.ReplyAsync(
                        await sessions.OpenAsync(IdOf(exchange), exchange.Aborted),
                        ProtocolJson.Default.SessionStatus
                    ),
                Reply = ProtocolJson.Default.SessionStatus,
            },
            new(
                "POST",
                "/v1/sessions/{id}/commands",
                "submitCommand",
                Scope.Observe,
                "Decides a command; each asks for its own scope."
            )
            {
                Handle = SubmitAsync,
                Request = ProtocolJson.Default.Command,
                Reply = ProtocolJson.Default.Receipt,
                Tier = RateTier.Prompt,
                Errors = [409, 503],
            },
            new("GET", "/v1/sessions/{id}/events", "readEvents", Scope.Observe, "The events of a session, each in its envelope.")
            {
                Handle = async exchange =>
                    await EventRoutes.StreamAsync(
                        exchange,
                        _dialect,
                        parts,
                        await sessions.OpenAsync(IdOf(exchange), exchange.Aborted), // a closed one too: its end is told, and the stream with it
                        sessions,
                        attendance,
                        bulletin
                    ),
                Kind = ReplyKind.EventStream,
                Parameters = EventRoutes.StreamParameters,
            },
            new("GET", "/v1/sessions/{id}/export", "exportTranscript", Scope.Observe, "The whole session, written out.")
            {
                Handle = async exchange =>
                    await EventRoutes.ExportAsync(
                        exchange,
                        parts,
                        await sessions.OpenAsync(IdOf(exchange), exchange.Aborted),
                        sessions
                    ),
                Kind = ReplyKind.Bytes,
                MediaTypes = EventRoutes.ExportTypes,
                Parameters = EventRoutes.ExportParameters,
            },
            new("POST", "/v1/sessions/{id}/blobs", "storeBlob", Scope.Prompt, "Keeps bytes that a prompt will name.")
            {
                Handle = StoreAsync,
                Reply = NativeJson.Default.StoredBlob,
                RawBodyLimit = 8 << 20,
            },
            new("GET", "/v1/sessions/{id}/blobs/{blob}", "readBlob", Scope.Observe, "Bytes that an event names.")
            {
                Handle = ReadBlobAsync,
                Kind = ReplyKind.Bytes,
            },
        ];

    private async Task OpenAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(NativeJson.Default.OpenRequest);
        sessions.MustBeOurs(request.Workspace);
        if (request.Session is { } known)
        {
            var status = await sessions.OpenAsync(known, exchange.Aborted);
            if (status.IsClosed)
            {
                await sessions.SubmitAsync(known, new ReopenSession(), ActorOf(exchange, known), exchange.Aborted);
                status = await sessions.OpenAsync(known, exchange.Aborted);
            }

            await exchange.ReplyAsync(status, ProtocolJson.Default.SessionStatus);
            return;
        }

        var defaults = sessions.Request();
        var open = defaults with
        {
            Model = parts.ResolveModel(request.Model ?? defaults.Model), // no key, no session
            ApprovalMode = request.ApprovalMode ?? defaults.ApprovalMode,
            NewSession = ChosenId.Read(request.NewSession?.Value),
        };
        Rights.RequireMode(exchange, open.ApprovalMode, parts.Sessions.ApprovalMode);
        await exchange.ReplyAsync(await sessions.CreateAsync(open, exchange.Aborted), ProtocolJson.Default.SessionStatus);
    }

    private async Task ListAsync(Exchange exchange) =>
        await exchange.ReplyAsync(
            await parts.Catalog.ListAsync(parts.Workspace, (int)(exchange.QueryNumber("limit") ?? 100), exchange.Aborted),
            ProtocolJson.Default.IReadOnlyListSessionSummary
        );

    private async Task SubmitAsync(Exchange exchange)
    {
        var command = await exchange.ReadAsync(ProtocolJson.Default.Command);
        var id = IdOf(exchange);
        Rights.Require(exchange, command is AnswerPermission ? Scope.Approve : Scope.Prompt);
        switch (command)
        {
            case SelectApprovalMode select:
                Rights.RequireMode(exchange, select.Mode, parts.Sessions.ApprovalMode);
                break;
            case SelectModel select:
                command = new SelectModel(parts.ResolveModel(select.Model));
                break;
            case AnswerPermission answer:
                command = answer with { FromAfar = !exchange.IsLocal };
                break;
            case Prompt or Steer:
                sessions.MustTakeWork();
                break;
        }

        await exchange.ReplyAsync(
            await sessions.SubmitAsync(id, command, ActorOf(exchange, id), CancellationToken.None),
            ProtocolJson.Default.Receipt
        );
    }

    private async Task StoreAsync(Exchange exchange)
    {
        var status = await sessions.RequireAsync(IdOf(exchange), exchange.Aborted);
        var blob = await sessions.StoreAsync(status.Session, await exchange.ReadBytesAsync(), exchange.Aborted);
        await exchange.ReplyAsync(new StoredBlob(blob), NativeJson.Default.StoredBlob);
    }

    private async Task ReadBlobAsync(Exchange exchange)
    {
        var status = await sessions.OpenAsync(IdOf(exchange), exchange.Aborted);
        var name = exchange.Route("blob");
        var content =
            name.Length == 64 && name.All(char.IsAsciiHexDigitLower)
                ? await parts.Catalog.ReadBlobAsync(status.Session, new BlobId(name), exchange.Aborted)
                : null;
        await exchange.ReplyBytesAsync(
            content ?? throw new ProblemException(404, "blob_not_found", "The session has no blob of that name."),
            exchange.Operation.MediaTypes[0]
        );
    }

    private Actor ActorOf(Exchange exchange, SessionId session) => attendance.Identify(session, exchange);

    private static SessionId IdOf(Exchange exchange) => new(exchange.Route("id"));

    /// <param name="Workspace">The daemon's own, where it is given.</param>
    /// <param name="Session">A known one; null for a new one, to which the rest applies.</param>
    /// <param name="NewSession">The id of the new one, a UUID of version 1 to 5; null for one that is free.</param>
    internal sealed record OpenRequest(
        string? Workspace = null,
        SessionId? Session = null,
        string? Model = null,
        ApprovalMode? ApprovalMode = null,
        SessionId? NewSession = null
    );

    internal sealed record StoredBlob(BlobId Blob);

    [JsonSourceGenerationOptions(
        System.Text.Json.JsonSerializerDefaults.Web,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false
    )]
    [JsonSerializable(typeof(OpenRequest))]
    [JsonSerializable(typeof(StoredBlob))]
    internal sealed partial class NativeJson : JsonSerializerContext;
}

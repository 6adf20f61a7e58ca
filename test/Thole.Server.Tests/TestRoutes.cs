using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Server.Tests;

/// <summary>Operations as the product has them, without what is behind them.</summary>
internal static partial class TestRoutes
{
    public static IReadOnlyList<Operation> All { get; } =
    [
        new("GET", "/session/{id}", "getSession", Scope.Observe, "Says its id.")
        {
            Reply = RouteJson.Default.Said,
            Handle = exchange => exchange.ReplyAsync(new Said(exchange.Route("id")), RouteJson.Default.Said),
        },
        new("GET", "/session/newest", "getNewestSession", Scope.Observe, "A literal beside a placeholder.")
        {
            Reply = RouteJson.Default.Said,
            Handle = exchange => exchange.ReplyAsync(new Said("the newest"), RouteJson.Default.Said),
        },
        new("DELETE", "/session/{id}", "closeSession", Scope.Administer, "Closes it.")
        {
            Kind = ReplyKind.None,
            Status = 204,
            Handle = exchange => exchange.NoContentAsync(),
        },
        new("POST", "/session", "openSession", Scope.Prompt, "Says what it was told.")
        {
            Request = RouteJson.Default.Told,
            Reply = RouteJson.Default.Said,
            Handle = async exchange =>
                await exchange.ReplyAsync(
                    new Said((await exchange.ReadAsync(RouteJson.Default.Told)).Text ?? "nothing"),
                    RouteJson.Default.Said
                ),
        },
        new("POST", "/session/{id}/prompt", "prompt", Scope.Prompt, "Needs a text.")
        {
            Tier = RateTier.Prompt,
            Status = 202,
            Request = RouteJson.Default.Required,
            Reply = RouteJson.Default.Said,
            Handle = async exchange =>
                await exchange.ReplyAsync(
                    new Said((await exchange.ReadAsync(RouteJson.Default.Required)).Text),
                    RouteJson.Default.Said
                ),
        },
        new("GET", "/list", "list", Scope.Observe, "Has parameters.")
        {
            Reply = RouteJson.Default.Said,
            Parameters =
            [
                new Parameter(ParameterPlace.Query, "limit", "At most so many.")
                {
                    Type = ParameterType.Integer,
                    Least = 1,
                    Most = 100,
                },
                new Parameter(ParameterPlace.Query, "order", "Which first.") { Words = ["newest", "oldest"] },
                new Parameter(ParameterPlace.Header, "X-Qwen-Client-Id", "Who displays it.")
                {
                    Length = 8,
                    Code = "invalid_client_id",
                },
            ],
            Handle = exchange =>
                exchange.ReplyAsync(
                    new Said($"{exchange.QueryNumber("limit")} {exchange.Query("order")} {exchange.Query("text")}"),
                    RouteJson.Default.Said
                ),
        },
        new("GET", "/session/{id}/events", "streamEvents", Scope.Observe, "A stream that says hello and waits.")
        {
            Kind = ReplyKind.EventStream,
            Handle = async exchange =>
            {
                var writer = await exchange.StartEventStreamAsync();
                await writer.WriteAsync("retry: 3000\n\n"u8.ToArray(), exchange.Aborted);
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var aborted = exchange.Aborted.Register(ended.SetResult);
                await using var stopping = exchange.Stopping.Register(() => ended.TrySetResult());
                await ended.Task;
            },
        },
        new("POST", "/upload", "upload", Scope.Administer, "Takes bytes.")
        {
            RawBodyLimit = 1000,
            Reply = RouteJson.Default.Said,
            Handle = async exchange =>
                await exchange.ReplyAsync(new Said($"{(await exchange.ReadBytesAsync()).Length}"), RouteJson.Default.Said),
        },
        Failing(
            "refused",
            () => new RefusedException("session_in_use", "The session is open in '/home/jo doe/work' by another process.")
        ),
        Failing("absent", () => new RefusedException("session_not_found", "There is no log /var/lib/thole/x.db.")),
        Failing("defect", () => new InvalidOperationException("A secret of /root/house.")),
    ];

    private static Operation Failing(string name, Func<Exception> failure) =>
        new("GET", $"/{name}", name, Scope.Observe, "Fails.") { Kind = ReplyKind.None, Handle = _ => throw failure() };

    internal sealed record Said(string Text);

    internal sealed record Told(string? Text = null, int? Number = null, JsonElement? Anything = null);

    internal sealed record Required(string Text);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false
    )]
    [JsonSerializable(typeof(Said))]
    [JsonSerializable(typeof(Told))]
    [JsonSerializable(typeof(Required))]
    internal sealed partial class RouteJson : JsonSerializerContext;
}

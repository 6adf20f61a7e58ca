using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>The end of the daemon, for whoever may administer it: the same end that a signal brings, and one that works where there are no signals.</summary>
internal static partial class ShutdownRoutes
{
    /// <param name="ask">Returns at once; asked again it changes nothing.</param>
    public static IReadOnlyList<Operation> Create(Action<Identity> ask) =>
        [
            new(
                "POST",
                "/daemon/shutdown",
                "shutdownDaemon",
                Scope.Administer,
                "Stops the daemon: it takes no more work, lets turns end, and says goodbye to readers."
            )
            {
                Reply = ShutdownJson.Default.ShutdownReply,
                Status = 202,
                Handle = async exchange =>
                {
                    ask(exchange.Identity);
                    await exchange.ReplyAsync(new ShutdownReply("draining"), ShutdownJson.Default.ShutdownReply);
                },
            },
        ];

    internal sealed record ShutdownReply(string Status);

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(ShutdownReply))]
    internal sealed partial class ShutdownJson : JsonSerializerContext;
}

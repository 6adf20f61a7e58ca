using Thole.Protocol;

namespace Thole.Server.OpenApi;

/// <summary>Shows the description of everything there is, itself included.</summary>
internal static class OpenApiRoutes
{
    public static IReadOnlyList<Operation> With(IReadOnlyList<Operation> operations, string version)
    {
        // Made when somebody asks first: no start waits for it.
        Lazy<byte[]> document = null!;
        IReadOnlyList<Operation> all =
        [
            .. operations,
            new("GET", "/openapi.json", "getOpenApi", Scope.Observe, "This document.")
            {
                Handle = exchange => exchange.ReplyBytesAsync(document.Value, "application/json; charset=utf-8"),
            },
        ];
        document = new Lazy<byte[]>(() => OpenApiDocument.Create(all, version));
        return all;
    }
}

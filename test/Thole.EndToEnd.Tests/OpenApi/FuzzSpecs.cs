using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Thole.EndToEnd.Tests.OpenApi;

/// <summary>Whatever is asked of the daemon: it never fails, and every answer is what its own document says.</summary>
public sealed class FuzzSpecs : IAsyncLifetime
{
    private const string Token = "a-token-of-the-fuzzer";

    private const string Shutdown = "/daemon/shutdown";

    private static readonly int s_rounds = Environment.GetEnvironmentVariable("THOLE_LONG") is null ? 25 : 1_000;

    private readonly TholeProgram _thole = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private RunningDaemon _daemon = null!;
    private JsonElement _document;
    private SchemaCheck _schemas = null!;

    public async ValueTask InitializeAsync()
    {
        _thole.Variables["THOLE_SERVER_TOKEN"] = Token;
        _thole.Server.ReplyOtherwise(reply => reply.Text("Done.").Done());
        _thole.Write("a.txt", "one\ntwo\n");
        _thole.Write("src/b.cs", "class B;\n");
        await _thole.CommitAsync();
        _daemon = await RunningDaemon.StartAsync(_thole, "--rate-limit", "0", "--max-sessions", "0");
        _client.BaseAddress = _daemon.Address;
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        _document = JsonElement.Parse(await _client.GetByteArrayAsync("/openapi.json", Cancelled));
        _schemas = new SchemaCheck(_document);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_is_answered_with_a_failure_of_ours_or_with_what_its_schema_forbids()
    {
        var seed = Environment.TickCount;
        List<string> sessions = [await CreateAsync(), await CreateAsync()];
        var maker = new RequestMaker(_document, _schemas, new Random(seed), sessions);
        var asked = 0;
        for (var round = 0; round < s_rounds; round++)
        {
            foreach (var (method, path, operation) in maker.Operations())
            {
                if (path is Shutdown)
                {
                    continue; // nobody would answer the next
                }

                using var request = maker.Make(method, path, operation);
                var sent = await DescribeAsync(request);
                using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
                Assert.True(
                    await ComplaintAsync(answer, operation) is var complaint && complaint is null,
                    $"seed {seed}: {sent}\n{complaint}"
                );
                asked++;
            }
        }

        Assert.InRange(asked, s_rounds * 40, int.MaxValue); // else there was nothing to ask
        Assert.Equal("""{"status":"ok"}""", await _client.GetStringAsync("/health", Cancelled));
        var (_, _, last) = maker.Operations().Single(operation => operation.Path is Shutdown);
        using var stopping = await _client.PostAsync(Shutdown, null, Cancelled);
        Assert.Null(await ComplaintAsync(stopping, last));
    }

    [Fact]
    public void The_check_sees_what_does_not_fit()
    {
        var schema = JsonElement.Parse(
            """{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":["integer","null"]}}}"""
        );

        Assert.Null(_schemas.Complaint(JsonElement.Parse("""{"a":"x","b":null}"""), schema));
        Assert.NotNull(_schemas.Complaint(JsonElement.Parse("""{"b":1}"""), schema));
        Assert.NotNull(_schemas.Complaint(JsonElement.Parse("""{"a":1}"""), schema));
        Assert.NotNull(_schemas.Complaint(JsonElement.Parse("""{"a":"x","b":"y"}"""), schema));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _daemon.DisposeAsync();
        await _thole.DisposeAsync();
    }

    private async Task<string> CreateAsync()
    {
        using var body = new StringContent("""{"sessionScope":"thread"}""", Encoding.UTF8, "application/json");
        using var answer = await _client.PostAsync("/session", body, Cancelled);
        return JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(Cancelled)).GetProperty("sessionId").GetString()!;
    }

    private async Task<string?> ComplaintAsync(HttpResponseMessage answer, JsonElement operation)
    {
        var status = (int)answer.StatusCode;
        var type = answer.Content.Headers.ContentType?.MediaType;
        if (status >= 500)
        {
            return $"{status} {await answer.Content.ReadAsStringAsync(Cancelled)}";
        }

        if (type is "text/event-stream")
        {
            return null; // it goes on for ever
        }

        var content = await answer.Content.ReadAsByteArrayAsync(Cancelled);
        if (status == 204)
        {
            return content is [] ? null : "204 with content";
        }

        if (status is 400 or 414 or 431 && content is [])
        {
            return null; // no HTTP at all: refused before it is a request
        }

        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out var described))
        {
            return $"{status} is not described: {Encoding.UTF8.GetString(content)}";
        }

        if (described.TryGetProperty("$ref", out var reference))
        {
            described = _schemas.Resolve(reference.GetString()!);
        }

        if (
            !described.TryGetProperty("content", out var contents)
            || type is null
            || !contents.TryGetProperty(type, out var media)
        )
        {
            return status < 300 && type is not "application/json" ? null : $"{status} with a {type} is not described";
        }

        return media.TryGetProperty("schema", out var schema) && type is "application/json"
            ? _schemas.Complaint(JsonElement.Parse(content), schema) is { } complaint
                ? $"{status} {complaint}: {Encoding.UTF8.GetString(content)}"
                : null
            : null;
    }

    private static async Task<string> DescribeAsync(HttpRequestMessage request)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(Cancelled);
        var headers = string.Join(' ', request.Headers.Select(header => $"{header.Key}={string.Join(',', header.Value)}"));
        return $"{request.Method} {request.RequestUri} {headers} {body[..Math.Min(body.Length, 2_000)]}";
    }
}

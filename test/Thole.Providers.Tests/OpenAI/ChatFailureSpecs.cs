using System.Net;
using System.Net.Sockets;
using System.Text;
using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.OpenAI;
using Thole.Testing;
using Thole.Testing.Models;

namespace Thole.Providers.Tests.OpenAI;

public sealed class ChatFailureSpecs
{
    [Theory]
    [InlineData(401, "{}", ModelFailure.Unauthorized)]
    [InlineData(403, "{}", ModelFailure.Unauthorized)]
    [InlineData(403, """{"code":"AllocationQuota.FreeTierOnly","message":"used up"}""", ModelFailure.QuotaExhausted)]
    [InlineData(
        404,
        """{"error":{"code":"model_not_found","message":"The model `x` does not exist"}}""",
        ModelFailure.UnknownModel
    )]
    [InlineData(400, """{"error":{"message":"x is not a valid model ID","code":400}}""", ModelFailure.UnknownModel)]
    [InlineData(402, """{"error":{"message":"Insufficient Balance"}}""", ModelFailure.QuotaExhausted)]
    [InlineData(
        429,
        """{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}""",
        ModelFailure.QuotaExhausted
    )]
    [InlineData(429, """{"error":{"code":"rate_limit_exceeded","message":"slow down"}}""", ModelFailure.RateLimited)]
    [InlineData(400, """{"error":{"code":"context_length_exceeded","message":"too long"}}""", ModelFailure.ContextOverflow)]
    [InlineData(
        400,
        """{"object":"error","message":"This model's maximum context length is 8192 tokens."}""",
        ModelFailure.ContextOverflow
    )]
    [InlineData(413, "Payload too large", ModelFailure.ContextOverflow)]
    [InlineData(400, """{"error":{"message":"temperature must be a number"}}""", ModelFailure.InvalidRequest)]
    [InlineData(422, """{"detail":[{"msg":"Extra inputs are not permitted"}]}""", ModelFailure.InvalidRequest)]
    [InlineData(500, "", ModelFailure.Overloaded)]
    [InlineData(503, "<html><head><title>x</title></head><body><h1>Service down</h1></body></html>", ModelFailure.Overloaded)]
    [InlineData(529, """{"error":{"type":"overloaded_error","message":"Overloaded"}}""", ModelFailure.Overloaded)]
    [InlineData(301, "", ModelFailure.InvalidRequest)]
    public async Task Every_status_means_something(int status, string body, ModelFailure failure)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(status, body));

        var failed = (await ChatAsked.AskAsync(server)).Failure!;

        Assert.Equal(failure, failed.Failure);
        Assert.StartsWith(
            "openai (127.0.0.1) ",
            failed.Message.Replace("The request is longer than ", "").Replace("The account at ", "")
        );
        Assert.DoesNotContain('<', failed.Message);
    }

    [Fact]
    public async Task A_refused_key_names_the_variable_to_set()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(401, """{"error":{"message":"Incorrect API key provided."}}"""));

        Assert.Equal(
            "openai (127.0.0.1) does not accept the key (401): set OPENAI_API_KEY to a valid one, or providers.openai.apiKey in your settings."
                + " It says: Incorrect API key provided.",
            (await ChatAsked.AskAsync(server)).Failure!.Message
        );
    }

    [Theory]
    [InlineData("{\"error\":{\"message\":\"bad key KEY, really\"}}")]
    [InlineData("KEY")]
    [InlineData("<p>Authorization: Bearer KEY</p>")]
    [InlineData("{\"error\":{\"message\":\"\\u001b]52;c;AAAA\\u0007\\u001b[31mbad\\r\\n \\u202ekey\\u001b[0m KEY\"}}")]
    public async Task A_key_that_is_echoed_is_hidden_and_the_text_made_harmless(string body)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(400, body.Replace("KEY", ChatAsked.Key)));

        var failed = (await ChatAsked.AskAsync(server)).Failure!;

        Assert.Contains("***", failed.Message);
        Assert.DoesNotContain(failed.Message, letter => char.IsControl(letter) || letter is '\u202e' or '<');
        Assert.DoesNotContain("AAAA", failed.Message);
    }

    [Fact]
    public async Task A_long_complaint_is_shortened_without_letting_half_a_key_out()
    {
        for (var before = 280; before < 310; before++)
        {
            await using var server = ScriptedModelServer.Start();
            server.Reply(reply =>
                reply.Status(400, $$$"""{"error":{"message":"{{{new string('x', before)}}}{{{ChatAsked.Key}}} and more"}}""")
            );

            var failed = (await ChatAsked.AskAsync(server)).Failure!;

            Assert.InRange(failed.Message.Length, 300, 400);
            Assert.DoesNotContain(ChatAsked.Key[..6], failed.Message);
        }
    }

    [Fact]
    public async Task A_key_echoed_inside_a_stream_is_hidden_everywhere()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Error($"key {ChatAsked.Key} is bad"));

        Assert.EndsWith("key *** is bad", (await ChatAsked.AskAsync(server)).Failure!.Message);
    }

    [Theory]
    [InlineData("Retry-After", "7", 7.0)]
    [InlineData("Retry-After", "1.5", 1.5)]
    [InlineData("retry-after-ms", "250", 0.25)]
    [InlineData("Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT", 60.0)]
    [InlineData("Retry-After", "Fri, 02 Jan 2015 03:05:05 GMT", 0.0)]
    [InlineData("Retry-After", "1e300", 2_592_000.0)]
    [InlineData("Retry-After", "soon", null)]
    public async Task The_time_a_provider_asks_for_is_passed_on(string header, string value, double? seconds)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(429, "{}").Header(header, value));
        using var http = ProviderConnections.Open(isLoopback: true);
        var model = ChatAsked.Model(ChatAsked.Options(server.BaseAddress), () => http, new ManualTime());

        var failed = (await ChatAsked.AskAsync(model)).Failure!;

        Assert.Equal(seconds is { } wait ? TimeSpan.FromSeconds(wait) : null, failed.RetryAfter);
    }

    [Fact]
    public async Task Nobody_listening_is_a_network_failure()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        using var http = ProviderConnections.Open(isLoopback: true);
        var options = ChatAsked.Options(new Uri($"http://127.0.0.1:{port}/v1"));

        var failed = (await ChatAsked.AskAsync(ChatAsked.Model(options, () => http, TimeProvider.System))).Failure!;

        Assert.Equal(ModelFailure.Network, failed.Failure);
        Assert.Equal(
            $"Cannot reach openai at 127.0.0.1:{port}: nothing listens there. Check the network and the base address.",
            failed.Message
        );
    }

    [Fact]
    public async Task A_connection_that_breaks_before_the_answer_is_a_network_failure()
    {
        using var raw = new TcpListener(IPAddress.Loopback, 0);
        raw.Start();
        var closing = CloseFirstAsync(raw);
        using var http = ProviderConnections.Open(isLoopback: true);
        var options = ChatAsked.Options(new Uri($"http://127.0.0.1:{((IPEndPoint)raw.LocalEndpoint).Port}/v1"));

        var failed = (await ChatAsked.AskAsync(ChatAsked.Model(options, () => http, TimeProvider.System))).Failure!;
        await closing;

        Assert.Equal(ModelFailure.Network, failed.Failure);
    }

    [Fact]
    public async Task Silence_ends_a_stream_and_so_does_too_long_a_life()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Hang());
        var time = new ManualTime();
        using var http = ProviderConnections.Open(isLoopback: true);
        var model = ChatAsked.Model(ChatAsked.Options(server.BaseAddress), () => http, time);
        var events = model
            .StreamAsync(ChatAsked.Request(), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await events.MoveNextAsync());

        var next = events.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(239));
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        var failed = await Assert.ThrowsAsync<ModelException>(() => next);
        Assert.Equal(
            (ModelFailure.StreamIdle, "openai (127.0.0.1) said nothing for 240 seconds."),
            (failed.Failure, failed.Message)
        );
        Assert.Contains("Hi.", Encoding.UTF8.GetString(failed.Raw.Span));
        await events.DisposeAsync();
        await server.Requests[0].Abandoned.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_lively_stream_ends_at_the_end_of_its_lifetime()
    {
        var gates = Enumerable.Range(0, 5).Select(_ => new TaskCompletionSource()).ToArray();
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply =>
        {
            foreach (var gate in gates)
            {
                reply.Text("Hi.").Wait(gate.Task);
            }
        });
        var time = new ManualTime();
        using var http = ProviderConnections.Open(isLoopback: true);
        var model = ChatAsked.Model(ChatAsked.Options(server.BaseAddress), () => http, time);
        await using var events = model
            .StreamAsync(ChatAsked.Request(), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        for (var heard = 0; heard < 4; heard++)
        {
            Assert.True(await events.MoveNextAsync());
            time.Advance(TimeSpan.FromSeconds(200));
            gates[heard].SetResult();
        }

        Assert.True(await events.MoveNextAsync());
        var next = events.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(100));

        var failed = await Assert.ThrowsAsync<ModelException>(() => next);
        Assert.Equal(ModelFailure.StreamCut, failed.Failure);
        Assert.Equal("openai (127.0.0.1) had not finished its answer after 900 seconds.", failed.Message);
    }

    [Fact]
    public async Task A_caller_who_leaves_gets_his_own_cancellation_and_the_connection_is_closed()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Hang());
        using var leaving = new CancellationTokenSource();
        using var http = ProviderConnections.Open(isLoopback: true);
        var model = ChatAsked.Model(ChatAsked.Options(server.BaseAddress), () => http, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in model.StreamAsync(ChatAsked.Request(), leaving.Token))
            {
                await leaving.CancelAsync();
            }
        });

        await server.Requests[0].Abandoned.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_key_with_a_line_break_is_refused_before_it_is_sent()
    {
        var options = ChatAsked.Options() with { Credential = new Credential("OPENAI_API_KEY", "sk-one\nsk-two") };

        var failed = (await ChatAsked.AskAsync([], options: options)).Failure!;

        Assert.Equal(ModelFailure.Unauthorized, failed.Failure);
        Assert.Equal(
            "The key in OPENAI_API_KEY holds characters that no key has, perhaps a line break: set it again.",
            failed.Message
        );
    }

    [Fact]
    public void Options_settings_and_credentials_print_no_secret()
    {
        var settings = new ProviderSettings
        {
            ApiKey = ChatAsked.Key,
            Defaults = new() { Headers = new Dictionary<string, string> { ["X-Key"] = ChatAsked.Key } },
        };
        var options = ChatAsked.Options() with { Headers = [new("X-Key", ChatAsked.Key)] };

        foreach (object printed in (object[])[settings, options, options.Credential])
        {
            ChatAsked.AssertHidesKey(printed.ToString()!);
        }
    }

    [Fact]
    public void A_long_trace_keeps_both_ends_and_hides_a_key_cut_by_the_gap()
    {
        var credential = new Credential("OPENAI_API_KEY", ChatAsked.Key);
        for (var shift = 0; shift < ChatAsked.Key.Length; shift++)
        {
            var trace = new RawTrace(200);
            trace.Add(
                Encoding.UTF8.GetBytes(new string('a', 100 - shift) + ChatAsked.Key + new string('b', 500) + ChatAsked.Key)
            );
            trace.Add(Encoding.UTF8.GetBytes(new string('c', 76 - shift)));

            var kept = Encoding.UTF8.GetString(trace.ToArray(credential));

            Assert.Equal(200, Encoding.UTF8.GetByteCount(kept));
            Assert.Contains("bytes left out", kept);
            Assert.DoesNotContain(ChatAsked.Key[..4], kept);
            Assert.DoesNotContain(ChatAsked.Key[^4..], kept);
        }
    }

    private static async Task CloseFirstAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await socket.ReceiveAsync(new byte[16 * 1024], SocketFlags.None, TestContext.Current.CancellationToken);
    }
}

using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using Thole.Protocol;
using Thole.Testing.Log;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Hosting;

/// <summary>
/// A daemon over a runtime, with logs in memory, a scripted model and tools of the test's own, from one process to the next: it can be
/// stopped, killed and started again. Requests come over sockets, or straight to its operations.
/// </summary>
internal sealed class TestHost : IAsyncDisposable
{
    public const string Workspace = "/workspace";

    private readonly Lock _lock = new();
    private readonly List<WeakReference<Call>> _calls = [];
    private TestLife? _life;
    private TaskCompletionSource _changed = NewSource();

    private TestHost(ScriptedModel model, HostOptions options) => (Model, Options) = (model, options);

    /// <summary>What holds from the next start on.</summary>
    public HostOptions Options { get; set; }

    public MemoryEventStore Store { get; private set; } = new();

    /// <summary>Who thinks from the next start on.</summary>
    public ScriptedModel Model { get; set; }

    /// <summary>What the daemon says to nobody but its owner.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public TestLife Life => _life ?? throw new InvalidOperationException("It does not run.");

    public ILiveSessions Live => Life.Runtime;

    /// <summary>Completes when something is otherwise than now: it has started, or a test says so by <see cref="Change"/>.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<TestHost> StartAsync(ScriptedModel model, HostOptions? options = null)
    {
        var host = new TestHost(model, options ?? new HostOptions());
        await host.StartAsync();
        return host;
    }

    public async Task StartAsync()
    {
        var life = new TestLife(this, Model, Options);
        await life.StartAsync();
        lock (_lock)
        {
            _life = life;
        }

        Change();
    }

    public void Change() => Interlocked.Exchange(ref _changed, NewSource()).TrySetResult();

    /// <summary>Stops as it does on SIGTERM.</summary>
    public async Task StopAsync()
    {
        try
        {
            await Life.StopAsync();
        }
        finally
        {
            Forget();
        }
    }

    /// <summary>
    /// Dies as by SIGKILL: who was connected gets nothing more, every log ends as far as it was written, and what the process would still
    /// have done does not happen.
    /// </summary>
    public async Task KillAsync()
    {
        var life = Life;
        List<WeakReference<Call>> calls;
        lock (_lock)
        {
            _life = null;
            calls = [.. _calls];
            _calls.Clear();
            life.IsKilled = true;
        }

        foreach (var reference in calls)
        {
            if (reference.TryGetTarget(out var call))
            {
                call.Leave();
            }
        }

        life.Die(() => Store = Store.Killed());
        await life.DisposeAsync(); // it writes to a disk of its own from now on
        Forget();
    }

    public async Task RestartAsync(bool kill = false)
    {
        await (kill ? KillAsync() : StopAsync());
        await StartAsync();
    }

    /// <summary>A new session of its own.</summary>
    public async Task<SessionId> OpenAsync()
    {
        var created = await SendAsync(new Request("POST", "/session") { Body = """{"sessionScope":"thread"}""" });
        return new SessionId(created.Expect(200).Text("sessionId")!);
    }

    public Task<Answer> PromptAsync(SessionId session, string text, string? id = null, string token = TestTokens.Owner) =>
        SendAsync(new Request("POST", $"/session/{session}/prompt") { Body = PromptBody(text, id), Token = token });

    public static string PromptBody(string text, string? id = null) =>
        id is null
            ? $$"""{"prompt":[{"type":"text","text":{{JsonSerializer.Serialize(text)}}}]}"""
            : $$"""{"prompt":[{"type":"text","text":{{JsonSerializer.Serialize(text)}}}],"promptId":{{JsonSerializer.Serialize(id)}}}""";

    public Task<Answer> VoteAsync(SessionId session, string request, bool allow = true, string token = TestTokens.Owner) =>
        SendAsync(new Request("POST", $"/session/{session}/permission/{request}") { Body = VoteBody(allow), Token = token });

    public static string VoteBody(bool allow) =>
        $$$"""{"outcome":{"outcome":"selected","optionId":"{{{(allow ? "proceed_once" : "cancel")}}}"}}""";

    public Task<Answer> SendAsync(string method, string target, string? body = null) =>
        SendAsync(new Request(method, target) { Body = body });

    /// <summary>The whole answer; <see cref="Answer.None"/> where the daemon died before it.</summary>
    public async Task<Answer> SendAsync(Request request, bool overSocket = false)
    {
        Call? call = null;
        try
        {
            call = await CallAsync(request, overSocket, window: 0);
            if (call is null)
            {
                return Answer.None;
            }

            // A stream has no end: that it began is the answer.
            return call.Status == 200 && call.Header("Content-Type") is "text/event-stream"
                ? new Answer(200, [], call.Header)
                : await call.ReadAsync(Cancelled);
        }
        catch (Exception cut) when (IsCut(cut))
        {
            return Answer.None;
        }
        finally
        {
            await (call?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    /// <summary>A stream in the daemon's dialect.</summary>
    public Task<SseTape> ReadAsync(SessionId session, long? after = null, bool overSocket = false) =>
        ReadAsync($"/session/{session}/events", after, overSocket);

    public Task<SseTape> ReadAsync(string target, long? after = null, bool overSocket = false) =>
        TapeAsync(
            new Request("GET", target) { Headers = after is { } cursor ? [("Last-Event-ID", $"{cursor}")] : [] },
            overSocket
        );

    public async Task<SseTape> TapeAsync(Request request, bool overSocket = false) =>
        new(await CallAsync(request, overSocket, Options.Window) ?? throw new InvalidOperationException("It does not run."));

    /// <summary>Null where no process runs.</summary>
    public async Task<Call?> CallAsync(Request request, bool overSocket, int window)
    {
        if (Volatile.Read(ref _life) is not { } life)
        {
            return null;
        }

        Call call;
        try
        {
            call = overSocket
                ? await SocketCall.SendAsync(life.Address, request, request.ReceiveBuffer, Cancelled)
                : await MemoryCall.SendAsync(life, request, window);
        }
        catch (Exception cut) when (IsCut(cut))
        {
            return null;
        }

        lock (_lock)
        {
            if (!life.IsKilled)
            {
                _calls.Add(new WeakReference<Call>(call));
                return call;
            }
        }

        await call.DisposeAsync(); // killed meanwhile
        return null;
    }

    /// <summary>Everything that happened in a session.</summary>
    public IReadOnlyList<Envelope> Events(SessionId session) => Store[session].Envelopes;

    public async ValueTask DisposeAsync()
    {
        if (_life is { } life)
        {
            await life.DisposeAsync();
        }
    }

    /// <summary>The daemon was gone before it answered, and the client with it.</summary>
    private static bool IsCut(Exception failure) =>
        failure is IOException or SocketException or ObjectDisposedException
        || (failure is OperationCanceledException && !Cancelled.IsCancellationRequested);

    private void Forget()
    {
        lock (_lock)
        {
            _life = null;
            _calls.Clear();
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Thole.Client;
using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// S59: more connections than the daemon takes, which say nothing, or the head of a request a byte at a time. Whoever was there is served
/// all the while, the crowd is held to the limit and costs little, and when it has gone the next who comes is served.
/// </summary>
public sealed class CrowdSpecs : IAsyncDisposable
{
    /// <summary>In the long form as many as the product takes by itself, and all those of the promise.</summary>
    private static readonly (int Limit, int Crowd) s_size = KillMatrix.IsLong ? (4_096, 10_000) : (256, 756);

    private static readonly byte[] s_slowly = Encoding.ASCII.GetBytes("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");

    private readonly TholeProgram _thole = new();
    private readonly List<Socket> _crowd = [];
    private readonly TaskCompletionSource _isHeldToTheLimit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _turnedAway;
    private int _givenUp;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task S59_a_crowd_is_held_to_the_limit_costs_little_and_hinders_nobody_who_is_served()
    {
        await MayOpenAsync(s_size.Crowd + 1_000);
        _thole.Server.ReplyOtherwise(reply => reply.Text("Done.").Done());
        await using var daemon = await RunningDaemon.StartAsync(
            _thole,
            "--max-connections",
            $"{s_size.Limit}",
            "--rate-limit",
            "0"
        );
        using var client = daemon.Connect();
        var session = await client.OpenAsync(cancellationToken: Now);
        await using var events = session.ReadAsync(0, Now).GetAsyncEnumerator(Now);
        Assert.True(await events.MoveNextAsync());
        using var served = Served(daemon);
        var (process, before) = await MemoryAsync(served, process: null);

        for (var number = 0; number < s_size.Crowd; number++)
        {
            await ComeAsync(daemon.Address.Port, IsSlow(number));
            if (number % (s_size.Crowd / 8) == 0)
            {
                await TrickleAsync();
                Assert.Equal("""{"status":"ok"}""", await BareHealthAsync(served));
            }
        }

        await _isHeldToTheLimit.Task.WaitAsync(Now); // whoever is held and has said something is given up with an answer, in 15 seconds
        var (_, with) = await MemoryAsync(served, process);
        TestContext.Current.SendDiagnosticMessage($"{_crowd.Count} came, {_turnedAway} were turned away, {with - before} KiB");
        Assert.InRange(with - before, long.MinValue, KillMatrix.IsLong ? 256 * 1024 : 64 * 1024);

        // What is prompted and told goes over connections that were there before.
        var prompt = new StringContent(
            """{"prompt":[{"type":"text","text":"go"}]}""",
            new MediaTypeHeaderValue("application/json")
        );
        using (var accepted = await served.PostAsync($"/session/{session.Id}/prompt", prompt, Now))
        {
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        }

        while (events.Current.Event is not TurnEnded)
        {
            Assert.True(await events.MoveNextAsync());
        }

        _crowd.ForEach(socket => socket.Dispose());
        using var next = Served(daemon);
        await ServedAgainAsync(next);
    }

    public async ValueTask DisposeAsync()
    {
        _crowd.ForEach(socket => socket.Dispose());
        await _thole.DisposeAsync();
    }

    /// <summary>Raises what this process, and what it starts, may have open, where it is less.</summary>
    private static async Task MayOpenAsync(int files)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var most = File.ReadLines("/proc/self/limits")
            .Single(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]; // the soft limit: .NET has raised it to the hard one
        if (int.TryParse(most, CultureInfo.InvariantCulture, out var now) && now < files)
        {
            Assert.SkipUnless(
                await Shell.TryAsync("prlimit", "--pid", $"{Environment.ProcessId}", $"--nofile={files}:{files}"),
                $"needs {files} open files: ulimit -n"
            );
        }
    }

    /// <summary>One connection that stays.</summary>
    private static HttpClient Served(RunningDaemon daemon) =>
        new(new SocketsHttpHandler { MaxConnectionsPerServer = 1, PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan })
        {
            BaseAddress = daemon.Address,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", daemon.Token) },
        };

    private static async Task<string> BareHealthAsync(HttpClient served) => await served.GetStringAsync("/health", Now);

    /// <summary>How many KiB of memory the daemon has for itself now.</summary>
    private static async Task<(int Process, long Memory)> MemoryAsync(HttpClient served, int? process)
    {
        var status = JsonElement.Parse(await served.GetStringAsync("/daemon/status", Now));
        var id = process ?? status.GetProperty("daemon").GetProperty("pid").GetInt32();
        if (!OperatingSystem.IsLinux())
        {
            return (id, 0);
        }

        var line = File.ReadLines($"/proc/{id}/status").Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return (id, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture));
    }

    private static async Task ServedAgainAsync(HttpClient next)
    {
        while (true)
        {
            try
            {
                await BareHealthAsync(next);
                return;
            }
            catch (HttpRequestException refused) when (refused.StatusCode is null)
            {
                await Task.Yield(); // that the crowd has left is noticed soon, not at once
            }
        }
    }

    private async Task ComeAsync(int port, bool isSlow)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _crowd.Add(socket);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, Now);
            if (isSlow)
            {
                await socket.SendAsync(s_slowly, Now);
            }
        }
        catch (SocketException)
        {
            // Turned away already.
        }

        _ = UntilClosedAsync(socket, isSlow);
    }

    /// <summary>Who is turned away gets no answer, and who was taken and is too slow gets one: so they are told apart.</summary>
    private async Task UntilClosedAsync(Socket socket, bool isSlow)
    {
        var isAnswered = false;
        try
        {
            var buffer = new byte[512];
            while (await socket.ReceiveAsync(buffer, Now) > 0)
            {
                isAnswered = true;
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException) { }

        if (isAnswered && Interlocked.Increment(ref _givenUp) > s_size.Limit)
        {
            var why = $"More than {s_size.Limit} were taken, or they needed longer to come than the daemon has patience.";
            _isHeldToTheLimit.TrySetException(new InvalidOperationException(why));
        }
        else if (isSlow && !isAnswered && Interlocked.Increment(ref _turnedAway) == Slow(s_size.Crowd) - s_size.Limit)
        {
            _isHeldToTheLimit.TrySetResult();
        }
    }

    private static int Slow(int crowd) => Enumerable.Range(0, crowd).Count(IsSlow);

    private static bool IsSlow(int number) => number % 4 > 0;

    /// <summary>A byte more of each head that never ends.</summary>
    private async Task TrickleAsync()
    {
        for (var number = 0; number < _crowd.Count; number++)
        {
            if (!IsSlow(number))
            {
                continue;
            }

            try
            {
                await _crowd[number].SendAsync("x"u8.ToArray(), Now);
            }
            catch (SocketException)
            {
                // Turned away meanwhile.
            }
        }
    }
}

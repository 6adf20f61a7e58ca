using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Thole.Benchmarks.Daemons;

/// <summary>A <c>thole serve</c> of its own, and what a client asks of it.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private const string Token = "a-token-for-the-benchmark";

    private readonly Process _process;

    private RunningDaemon(Process process, Uri address)
    {
        _process = process;
        Client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = Timeout.InfiniteTimeSpan })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public HttpClient Client { get; }

    /// <summary>Returns when it says where it listens.</summary>
    public static async Task<RunningDaemon> StartAsync(Workplace place, params IReadOnlyList<string> flags)
    {
        var start = new ProcessStartInfo(
            place.Binary,
            ["serve", "--port", "0", "-C", place.Repository, "--approval-mode", "yolo", "--rate-limit", "0", .. flags]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in place.Variables)
        {
            start.Environment[name] = value;
        }

        start.Environment["THOLE_SERVER_TOKEN"] = Token;
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, line) =>
        {
            if (line.Data is { Length: > 0 } said)
            {
                Console.Error.WriteLine(said);
            }
        };
        process.BeginErrorReadLine();
        var line =
            await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The daemon said nothing.");
        return new RunningDaemon(process, new Uri(line.Split(' ')[4]));
    }

    /// <summary>Processor time of all its threads, to the nanosecond; threads that have ended are not counted.</summary>
    public TimeSpan Cpu =>
        Directory
            .EnumerateDirectories($"/proc/{_process.Id}/task")
            .Select(task => File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0])
            .Select(nanoseconds => TimeSpan.FromMicroseconds(long.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1000))
            .Aggregate(TimeSpan.Zero, static (sum, one) => sum + one);

    public double RssMiB =>
        File.ReadLines($"/proc/{_process.Id}/status")
            .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Select(line => long.Parse(line.AsSpan(6).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) / 1024.0)
            .First();

    public int OpenFiles => Directory.EnumerateFileSystemEntries($"/proc/{_process.Id}/fd").Count();

    public async Task<string> HealthAsync() => await Client.GetStringAsync("/health");

    public async Task<string> CreateAsync() =>
        (await PostAsync("/session", """{"sessionScope":"thread"}""")).GetProperty("sessionId").GetString()!;

    /// <returns>The prompt's id.</returns>
    public async Task<string> PromptAsync(string session, string text = "go") =>
        (await PostAsync($"/session/{session}/prompt", $$"""{"prompt":[{"type":"text","text":"{{text}}"}]}"""))
            .GetProperty("promptId")
            .GetString()!;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task<JsonElement> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync(path, content);
        var answer = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode
            ? JsonElement.Parse(answer)
            : throw new InvalidOperationException($"{path}: {response.StatusCode} {Encoding.UTF8.GetString(answer)}");
    }
}

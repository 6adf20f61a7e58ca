using System.Diagnostics;
using System.Text;

namespace Thole.EndToEnd.Tests;

/// <summary>The programs under <c>examples/</c> do what they say.</summary>
public sealed class ExampleSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();
    private RunningDaemon? _daemon;

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        await _thole.DisposeAsync();
    }

    [Fact]
    public Task The_one_in_csharp_asks_and_shows() =>
        RunAsync(Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "thole-ask.exe" : "thole-ask"));

    [Fact]
    public async Task The_one_with_curl_asks_and_shows()
    {
        Assert.SkipUnless(await Shell.TryAsync("bash", "-c", "command -v curl"), "needs bash and curl: apt-get install curl");
        await RunAsync("bash", Path.Join(Root(), "examples", "curl", "ask.sh"));
    }

    [Fact]
    public async Task The_one_in_TypeScript_asks_and_shows()
    {
        var package = await InteropPackage.GetAsync(); // the client of the others, as it drives our daemon in InteropSpecs
        using var folder = new Testing.TempFolder();
        Directory.CreateDirectory(folder.File("node_modules/@qwen-code"));
        Directory.CreateSymbolicLink(folder.File("node_modules/@qwen-code/sdk"), Path.Join(package.Modules, "sdk-0-1-14"));
        File.Copy(Path.Join(Root(), "examples", "typescript", "ask.mjs"), folder.File("ask.mjs"));
        await RunAsync(package.Node, folder.File("ask.mjs"));
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        _thole
            .Server.Reply(reply =>
                reply.Text("It says \"a\\b\",\n").Call("write_file", """{"file_path":"a.txt","content":"x"}""").Done()
            )
            .Reply(reply => reply.Text("käse 船 and no more.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        var start = new ProcessStartInfo(program, [.. arguments, _daemon.Address.ToString(), "Why \"so\"?\nTell\tme: $HOME \\"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = new UTF8Encoding(false),
            StandardErrorEncoding = new UTF8Encoding(false),
        };
        start.Environment["THOLE_SERVER_TOKEN"] = _daemon.Token;
        await using var running = new RunningThole(Process.Start(start)!, $"example {program}");
        var ended = (await running.EndAsync()).MustSucceed();
        Assert.Equal("It says \"a\\b\",\nkäse 船 and no more.\n", ended.Output);
        Assert.Equal("Why \"so\"?\nTell\tme: $HOME \\", HeadlessSpecs.LastWords(_thole.Server.Requests[0]));
        Assert.Contains("\"tool\"", _thole.Server.Requests[1].Text);
        Assert.False(File.Exists(_thole.File("a.txt")));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(folder.FullName, "Thole.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("These specs run examples/ of the repository.");
        }

        return folder.FullName;
    }
}

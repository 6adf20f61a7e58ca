using System.Diagnostics;
using Thole.Testing;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// The program as a user has it, with a home, a workspace and a model server of its own. It runs the binary that
/// <c>THOLE_BINARY</c> names, else the one that was built beside the tests.
/// </summary>
internal sealed class TholeProgram : IAsyncDisposable
{
    private readonly TempFolder _folder = new();

    public TholeProgram()
    {
        Home = Directory.CreateDirectory(_folder.File("home")).FullName;
        Workspace = Directory.CreateDirectory(_folder.File("workspace")).FullName;
        foreach (var name in (ReadOnlySpan<string>)["PATH", "DOTNET_ROOT", "SystemRoot"])
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                Variables[name] = value;
            }
        }

        Variables["HOME"] = Directory.CreateDirectory(_folder.File("user")).FullName;
        Variables["TMPDIR"] = Directory.CreateDirectory(_folder.File("tmp")).FullName;
        Variables["THOLE_HOME"] = Home;
        Variables["OPENAI_BASE_URL"] = Server.BaseAddress.ToString();
        Variables["OPENAI_MODEL"] = "scripted";
        Variables["DOTNET_EnableDiagnostics"] = "0"; // no debugger's pipe is left behind by the runs that are killed
    }

    public static string Binary { get; } =
        Environment.GetEnvironmentVariable("THOLE_BINARY") is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "thole.exe" : "thole");

    /// <summary>Whether it is a binary that was published, and not the one that was built beside the tests.</summary>
    public static bool IsRelease => Environment.GetEnvironmentVariable("THOLE_BINARY") is { Length: > 0 };

    public ScriptedModelServer Server { get; } = ScriptedModelServer.Start();

    public string Home { get; }

    public string Workspace { get; }

    /// <summary>A folder beside the workspace, where nothing may be touched.</summary>
    public string Outside => Directory.CreateDirectory(_folder.File("outside")).FullName;

    /// <summary>All the environment the program gets.</summary>
    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    public string File(string name) => Path.Join(Workspace, name);

    public string Read(string name) => System.IO.File.ReadAllText(File(name));

    public void Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    public void Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        System.IO.File.WriteAllBytes(File(name), content);
    }

    public void WriteSettings(string json) => System.IO.File.WriteAllText(Path.Join(Home, "settings.json"), json);

    /// <summary>Makes the workspace a git repository with everything in it committed.</summary>
    public async Task CommitAsync()
    {
        Assert.SkipUnless(Git.IsThere, "needs git: apt-get install git");
        await Git.RunAsync(Workspace, "", "init", "--quiet", "--initial-branch=main");
        await Git.RunAsync(Workspace, "", "add", "--all");
        await Git.RunAsync(Workspace, "", "-c", "user.name=T", "-c", "user.email=t@t", "commit", "--quiet", "-m", "first");
    }

    /// <summary>Runs to the end with nothing on standard input.</summary>
    public Task<Outcome> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public async Task<Outcome> RunWithInputAsync(string input, params string[] arguments)
    {
        await using var running = Start(arguments);
        await running.WriteAsync(input);
        running.CloseInput();
        return await running.EndAsync();
    }

    public RunningThole Start(params string[] arguments) => StartIn(Workspace, arguments);

    public RunningThole StartIn(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(Binary, arguments)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new System.Text.UTF8Encoding(false),
            StandardOutputEncoding = new System.Text.UTF8Encoding(false),
            StandardErrorEncoding = new System.Text.UTF8Encoding(false),
        };
        start.Environment.Clear();
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        return new RunningThole(Process.Start(start)!, string.Join(' ', arguments));
    }

    /// <summary>The id of the only session there is.</summary>
    public string OnlySession() =>
        Path.GetFileNameWithoutExtension(Assert.Single(Directory.GetFiles(Path.Join(Home, "sessions"), "*-*.db")));

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}

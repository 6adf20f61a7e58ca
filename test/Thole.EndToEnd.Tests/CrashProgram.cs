using System.Diagnostics;
using Thole.Core.Log;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <param name="ExitCode">As a shell counts: 128 and the signal where one ended it.</param>
internal sealed record CrashRun(int ExitCode, string Output, string Error);

/// <summary>The real program with a home and a workspace of its own, to be run, traced, failed and killed.</summary>
internal sealed class CrashProgram : IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("thole-crash-");

    public CrashProgram()
    {
        Directory.CreateDirectory(Home);
        Directory.CreateDirectory(Workspace);
    }

    /// <summary>The published program where THOLE_BINARY names it, else the one that was built beside these tests.</summary>
    public static string Binary =>
        Environment.GetEnvironmentVariable("THOLE_BINARY") is { Length: > 0 } published
            ? published
            : Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "thole.exe" : "thole");

    public string Home => Path.Join(_folder.FullName, "home");

    public string Sessions => Path.Join(Home, "sessions");

    public string Workspace => Path.Join(_folder.FullName, "work");

    /// <summary>A file beside home and workspace, for what is seen from outside.</summary>
    public string Beside(string name) => Path.Join(_folder.FullName, name);

    public Process Start(Uri? model, IReadOnlyList<string> before, params IReadOnlyList<string> arguments)
    {
        string[] command = [.. before, Binary, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            WorkingDirectory = Workspace,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = _folder.FullName;
        start.Environment["THOLE_HOME"] = Home;
        start.Environment["OPENAI_BASE_URL"] = model?.ToString() ?? "http://127.0.0.1:9/v1";
        start.Environment["OPENAI_API_KEY"] = "key-of-the-tests";
        start.Environment["OPENAI_MODEL"] = "openai/scripted";
        // A dump of each killed runtime and the diagnostics port of each started one are time lost here.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;

        static bool IsOurs(string name) =>
            name.StartsWith("THOLE_", StringComparison.Ordinal) || name.StartsWith("OPENAI_", StringComparison.Ordinal);
    }

    public Task<CrashRun> RunAsync(ScriptedModelServer? model, params IReadOnlyList<string> arguments) =>
        RunAsync(model, [], arguments);

    /// <param name="model">Who answers; null for commands that ask nobody.</param>
    /// <param name="before">Words before the program: strace and what it shall do.</param>
    /// <param name="arguments">Of the program.</param>
    public async Task<CrashRun> RunAsync(
        ScriptedModelServer? model,
        IReadOnlyList<string> before,
        params IReadOnlyList<string> arguments
    )
    {
        using var process = Start(model?.BaseAddress, before, arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_longest);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new CrashRun(process.ExitCode, output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Goes on with a session, or begins one; tells what it is asked and shows messages as they come.</summary>
    public static string[] Prompt(SessionId? session, string text) =>
        [
            "-p",
            text,
            "--output-format",
            "stream-json",
            "--approval-mode",
            "yolo",
            .. session is { } id ? (string[])["--resume", id.Value] : [],
        ];

    public async Task<IReadOnlyList<SessionSummary>> ListAsync()
    {
        using var catalogue = new Catalogue(Sessions);
        return await catalogue.ListAsync(null, 100, TestContext.Current.CancellationToken);
    }

    public async Task<IReadOnlyList<Envelope>> EventsAsync(SessionId session)
    {
        using var catalogue = new Catalogue(Sessions);
        var events = new List<Envelope>();
        await foreach (var envelope in catalogue.ReadAsync(session, 0, TestContext.Current.CancellationToken))
        {
            events.Add(envelope);
        }

        return events;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Tools.Tests;

/// <summary>Runs file tools over a temporary folder.</summary>
public sealed class ToolBench : IBlobStore, IDisposable
{
    private readonly TempFolder _folder = new();

    public ToolBench()
    {
        Workspace = new FolderWorkspace(_folder.Path);
        Context = new ToolContext
        {
            Workspace = Workspace,
            Search = null!,
            Processes = null!,
            Files = new FileLedger(),
            Blobs = this,
            Time = TimeProvider.System,
        };
    }

    public string Root => _folder.Path;

    public FolderWorkspace Workspace { get; }

    public ToolContext Context { get; }

    public List<byte[]> Blobs { get; } = [];

    public string PathOf(string name) => _folder.File(name);

    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public void Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllBytes(PathOf(name), bytes);
    }

    public byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));

    public string Text(string name) => Encoding.UTF8.GetString(Bytes(name));

    public Task<ToolResult> ReadAsync(string name, int? offset = null, int? limit = null, string? pages = null) =>
        RunAsync(new ReadFileTool(), ("file_path", name), ("offset", offset), ("limit", limit), ("pages", pages));

    public Task<ToolResult> WriteFileAsync(string name, string content) =>
        RunAsync(new WriteFileTool(), ("file_path", name), ("content", content));

    public Task<ToolResult> EditAsync(string name, string oldString, string newString, bool? replaceAll = null) =>
        RunAsync(
            new EditTool(),
            ("file_path", name),
            ("old_string", oldString),
            ("new_string", newString),
            ("replace_all", replaceAll)
        );

    public Task<ToolResult> PatchAsync(string patch) => RunAsync(new ApplyPatchTool(), ("patch", patch));

    public async Task<ToolResult> RunAsync(ITool tool, params (string Name, JsonNode? Value)[] arguments)
    {
        var json = new JsonObject();
        foreach (var (name, value) in arguments.Where(argument => argument.Value is not null))
        {
            json[name] = value;
        }

        var preparation = tool.Prepare(new ToolCall(new CallId("1"), tool.Name, json.ToJsonString()), Context);
        return preparation.Refusal ?? await preparation.RunAsync([], TestContext.Current.CancellationToken);
    }

    public async Task<(int ExitCode, string Output)> GitAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = Root,
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var error = git.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await git.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await git.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (git.ExitCode, output + await error);
    }

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Blobs.Add(content.ToArray());
        return ValueTask.FromResult(new BlobId(TextFile.HashOf(content.Span)));
    }

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Blobs.Find(content => TextFile.HashOf(content) == blob.Value));

    public void Dispose() => _folder.Dispose();
}

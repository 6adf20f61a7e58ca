using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Tools.Tests;

/// <summary>Runs shell tools in a temporary folder, with real processes.</summary>
internal sealed class CommandBench : IBlobStore, IAsyncDisposable
{
    private readonly TempFolder _folder = new();

    public CommandBench()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX shell: run on Linux or macOS");
        Context = new ToolContext
        {
            Workspace = new FolderWorkspace(_folder.Path),
            Search = null!,
            Processes = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System),
            Files = new FileLedger(),
            Blobs = this,
            Time = TimeProvider.System,
        };
    }

    public string Root => _folder.Path;

    public ToolContext Context { get; }

    public List<byte[]> Blobs { get; } = [];

    public Task<ToolResult> RunAsync(string command) => RunAsync(new RunShellCommandTool(), new() { ["command"] = command });

    public Task<ToolResult> RunAsync(ITool tool, JsonObject arguments) =>
        RunUntilAsync(tool, arguments, TestContext.Current.CancellationToken);

    public async Task<ToolResult> RunUntilAsync(ITool tool, JsonObject arguments, CancellationToken cancellationToken)
    {
        var preparation = Prepare(tool, arguments);
        return preparation.Refusal ?? await preparation.RunAsync([], cancellationToken);
    }

    public Preparation Prepare(ITool tool, JsonObject arguments) =>
        tool.Prepare(new ToolCall(new CallId("1"), tool.Name, arguments.ToJsonString()), Context);

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Blobs.Add(content.ToArray());
        return ValueTask.FromResult(new BlobId(Convert.ToHexStringLower(SHA256.HashData(content.Span))));
    }

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Blobs.Find(content => Convert.ToHexStringLower(SHA256.HashData(content)) == blob.Value));

    public async ValueTask DisposeAsync()
    {
        await Context.Processes.DisposeAsync();
        _folder.Dispose();
    }
}

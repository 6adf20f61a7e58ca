using System.Security.Cryptography;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Tests.Web;

/// <summary>Contexts for tools that touch nothing of the workspace: what they must not use is absent.</summary>
internal static class TestContexts
{
    public static ToolContext With(IBlobStore blobs, TimeProvider time) =>
        new()
        {
            Workspace = null!,
            Search = null!,
            Processes = null!,
            Files = new FileLedger(),
            Blobs = blobs,
            Time = time,
        };
}

/// <summary>Blobs for as long as the test lives.</summary>
internal sealed class MemoryBlobs : IBlobStore
{
    private readonly Dictionary<BlobId, byte[]> _blobs = [];

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var id = new BlobId(Convert.ToHexStringLower(SHA256.HashData(content.Span)));
        _blobs[id] = content.ToArray();
        return ValueTask.FromResult(id);
    }

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_blobs.GetValueOrDefault(blob));
}

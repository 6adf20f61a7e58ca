using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Log;
using Thole.Core.Workspaces;

namespace Thole.Core.Access;

/// <summary>
/// That a daemon serves a workspace: one at a time on this machine, found by whoever wants to speak to it. A lock says that it lives; what
/// it says of itself is believed only while the lock is held.
/// </summary>
public sealed class DaemonRegistration : IDisposable
{
    private readonly SessionLease _lease;
    private readonly StateFile _file;

    private DaemonRegistration(SessionLease lease, StateFile file) => (_lease, _file) = (lease, file);

    /// <summary>Null where another daemon serves that workspace, or somebody looks at this moment whether one does.</summary>
    public static async Task<DaemonRegistration?> TryTakeAsync(
        string folder,
        string workspace,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        FileWriter.CreateDirectory(folder);
        if (SessionLease.TryTake(LockOf(folder, workspace)) is not { } lease)
        {
            return null;
        }

        // What the last daemon said of itself is not true of this one, which does not listen yet.
        var registration = new DaemonRegistration(lease, FileOf(folder, workspace, time));
        await registration._file.UpdateAsync(content => content is null ? null : "null"u8.ToArray(), cancellationToken);
        return registration;
    }

    /// <summary>The daemon that serves that workspace now; null where there is none.</summary>
    /// <exception cref="WorkspaceException">What is written there cannot be read, or others may have written it.</exception>
    public static DaemonRecord? Find(string folder, string workspace, TimeProvider time)
    {
        // Without the folder there was never a daemon: whoever cannot make it says so better than we could here.
        if (FileOf(folder, workspace, time) is not { HasFolder: true } file || file.Read() is not { } content)
        {
            return null;
        }

        using var lease = SessionLease.TryTake(LockOf(folder, workspace));
        if (lease is not null)
        {
            return null; // it died, or is about to start
        }

        try
        {
            return JsonSerializer.Deserialize(content, DaemonRecordJson.Default.DaemonRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Says where it listens.</summary>
    public Task PublishAsync(DaemonRecord record, CancellationToken cancellationToken) =>
        _file.UpdateAsync(
            _ => JsonSerializer.SerializeToUtf8Bytes(record, DaemonRecordJson.Default.DaemonRecord),
            cancellationToken
        );

    public void Dispose() => _lease.Dispose();

    private static string LockOf(string folder, string workspace) => Path.Join(folder, NameOf(workspace) + ".lease");

    private static StateFile FileOf(string folder, string workspace, TimeProvider time) =>
        new(Path.Join(folder, NameOf(workspace) + ".json"), time);

    private static string NameOf(string workspace) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(workspace)).AsSpan(0, 16));
}

/// <summary>What a running daemon says of itself.</summary>
/// <param name="Certificate">The SHA-256 of the certificate it shows, in hex; null where it speaks plainly.</param>
public sealed record DaemonRecord(
    string Workspace,
    string Address,
    int ProcessId,
    DateTimeOffset StartedAt,
    string Version,
    string? Certificate = null
);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true
)]
[JsonSerializable(typeof(DaemonRecord))]
internal sealed partial class DaemonRecordJson : JsonSerializerContext;

using System.Reflection;
using Thole.Protocol;

namespace Thole.Server.Tests;

/// <summary>Stands where nobody may be asked: whoever asks fails.</summary>
public class Nobody : DispatchProxy
{
    /// <summary>The table of the product, with nothing behind it.</summary>
    internal static IReadOnlyList<Operation> Operations()
    {
        var host = new DaemonHost(
            new DaemonOptions(),
            new DaemonParts
            {
                Runtime = Create<IAgentRuntime, Nobody>(),
                Live = Create<ILiveSessions, Nobody>(),
                Catalog = Create<ICatalog, Nobody>(),
                Files = Create<IWorkspaceFiles, Nobody>(),
                Repository = Create<IRepository, Nobody>(),
                Inventory = Create<IInventory, Nobody>(),
                Tokens = new FakeTokens(),
                Workspace = "/workspace",
                RealPath = path => path,
                ResolveModel = model => model,
                Sessions = new SessionOptions { Model = "test/model" },
                Version = "1",
                Time = TimeProvider.System,
                NewId = Guid.NewGuid,
                Log = _ => { },
                ClientKey = new byte[32],
            }
        );
        return host.Operations;
    }

    protected override object Invoke(MethodInfo? targetMethod, object?[]? args) =>
        throw new InvalidOperationException($"{targetMethod?.Name} was asked, and must not be.");
}

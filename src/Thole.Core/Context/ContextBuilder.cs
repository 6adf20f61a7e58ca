using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>Makes the request of a step from what the session knows. Everything but its end is the same as at the step before.</summary>
internal sealed class ContextBuilder(string systemPrompt, IReadOnlyList<IContextSource> sources)
{
    /// <summary>Something that the runtime tells the model in the middle of its work.</summary>
    public static ContextAdded Notice(string text) => new(ContextOrigin.Notice, text);

    /// <summary>What the model should know before the next step and has not been told: all of it before the first, then what work brought up.</summary>
    public async ValueTask<IReadOnlyList<ContextAdded>> CollectAsync(
        ContextState context,
        IWorkspace workspace,
        CancellationToken cancellationToken
    )
    {
        List<ContextAdded> added = context.Sources.Contains(ContextOrigin.SystemPrompt)
            ? []
            : [new(ContextOrigin.SystemPrompt, systemPrompt)];
        foreach (var source in sources)
        {
            var known = context.Sources.Concat(added.Select(one => one.Source)).ToHashSet(StringComparer.Ordinal);
            added.AddRange(await source.CollectAsync(new ContextScope(workspace, known, context.Files.Keys), cancellationToken));
        }

        return added;
    }

    public static ModelRequest Build(
        ContextState context,
        ModelEndpoint endpoint,
        ToolBox tools,
        Account account,
        IBlobStore blobs
    ) =>
        new()
        {
            Model = endpoint.Model,
            System = context.System,
            Items = context.Items,
            Tools = tools.Definitions,
            CacheKey = account.Session.Value,
            Account = account,
            Descriptions = context.Descriptions,
            ReadBlob = blobs.ReadBlobAsync,
        };
}

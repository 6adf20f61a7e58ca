using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>
/// Something the model should know without asking. Collected before the first step of a turn and again before each further
/// one, because work may have gone to a folder with instructions of its own. What was added is never changed, only followed.
/// </summary>
public interface IContextSource
{
    ValueTask<IReadOnlyList<ContextAdded>> CollectAsync(ContextScope scope, CancellationToken cancellationToken);
}

/// <param name="Known">The <see cref="ContextAdded.Source"/> of everything that was added before.</param>
/// <param name="FilesSeen">Full paths of the files that the session has read or written so far.</param>
public sealed record ContextScope(IWorkspace Workspace, IReadOnlySet<string> Known, IEnumerable<string> FilesSeen);

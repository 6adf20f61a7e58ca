using Microsoft.Extensions.Logging;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>What every session of a runtime works with.</summary>
internal sealed record SessionParts(TurnRunner Turns, OpenHands OpenHands, TimeProvider Time, Func<Guid> NewId, ILogger Logger);

/// <summary>Gives a session its hands: the tools' view of one workspace, knowing what the session has seen of its files.</summary>
public delegate ToolContext OpenHands(string workspace, IBlobStore blobs, IEnumerable<FileSeen> seen);

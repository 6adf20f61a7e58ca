using Microsoft.Extensions.Logging;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>What every session of a runtime works with.</summary>
internal sealed record SessionParts(
    TurnRunner Turns,
    OpenHands OpenHands,
    SessionRules Rules,
    Elect Elect,
    TimeProvider Time,
    Func<Guid> NewId,
    ILogger Logger
)
{
    public TurnId NewTurn() => new($"turn_{NewId():n}");
}

/// <summary>Gives a session its hands: the tools' view of one workspace, knowing what the session has seen of its files.</summary>
public delegate ToolContext OpenHands(string workspace, IBlobStore blobs, IEnumerable<FileSeen> seen);

/// <summary>Says who decides a question of that session, whose turn <paramref name="asker"/> began; null where the first answer does.</summary>
public delegate Election? Elect(SessionId session, Actor asker);

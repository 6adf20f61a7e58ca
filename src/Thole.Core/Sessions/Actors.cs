using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>Who did it, where the fact itself says.</summary>
internal static class Actors
{
    public static Actor Of(SessionEvent happened) =>
        happened switch
        {
            TextPiece or ReasoningPiece or MessageCompleted or CallRequested => Actor.Model,
            CallStarted or CallCompleted or FileSeen or TodosChanged => Actor.Tool,
            _ => Actor.Runtime,
        };
}

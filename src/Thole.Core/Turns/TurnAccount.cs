using Thole.Core.Models;
using Thole.Core.Routing;

namespace Thole.Core.Turns;

/// <summary>Whatever a turn asks of a model, it asks on its own account.</summary>
internal static class TurnAccount
{
    extension(ISessionView turn)
    {
        public Account AccountFor(ModelRole role) => new(turn.Id, turn.Turn, role.ToString().ToLowerInvariant());
    }
}

using Thole.Protocol;

namespace Thole.Core.Models;

/// <summary>On whose account a request goes. One without an account counts for the day alone.</summary>
/// <param name="Role">What the model is asked for, as a word: <c>main</c>, <c>compact</c>, …</param>
public sealed record Account(SessionId Session, TurnId Turn, string Role)
{
    /// <summary>Whose budgets it draws on: its own, or those of the turn that a subagent works for, handed on from parent to child.</summary>
    public Payer Payer { get; init; } = new(Session, Turn);
}

/// <summary>The turn, and its session, that pays.</summary>
public sealed record Payer(SessionId Session, TurnId Turn);

using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>What needs more than the scope of its operation.</summary>
internal static class Rights
{
    /// <exception cref="ProblemException"><c>insufficient_scope</c>.</exception>
    public static void Require(Exchange exchange, Scope scope)
    {
        if (!exchange.Identity.May(scope))
        {
            var required = string.Join(' ', ScopeWords.Of(scope));
            throw new ProblemException(
                403,
                "insufficient_scope",
                $"This token may not do that; use one that was issued with --scope {required}.",
                ("required", required)
            );
        }
    }

    /// <summary>What this identity chooses stays when another process opens the session.</summary>
    public static bool MayGrant(Exchange exchange) => exchange.Identity.May(Scope.Approve);

    /// <summary>A mode that asks less than the daemon's own is for those who may approve what it no longer asks.</summary>
    /// <exception cref="ProblemException"><c>insufficient_scope</c>.</exception>
    public static void RequireMode(Exchange exchange, ApprovalMode wanted, ApprovalMode ours)
    {
        if (wanted.IsLooserThan(ours))
        {
            Require(exchange, Scope.Approve);
        }
    }
}

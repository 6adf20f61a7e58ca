using System.Globalization;
using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>Where a page of the session list ended: by time and id, so that a session that is touched meanwhile hides no other.</summary>
internal static class SessionCursor
{
    public static string Of(SessionSummary session) =>
        string.Create(CultureInfo.InvariantCulture, $"{session.UpdatedAt.UtcTicks}-{session.Id}");

    /// <summary>The index of the first session after the cursor.</summary>
    /// <exception cref="ProblemException">It is no cursor of ours.</exception>
    public static int After(string cursor, IReadOnlyList<SessionSummary> sessions)
    {
        var dash = cursor.IndexOf('-', StringComparison.Ordinal);
        if (dash < 1 || !long.TryParse(cursor.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
        {
            throw new ProblemException(400, "invalid_cursor", "`cursor` is not one of a session list; begin without it.");
        }

        var id = cursor[(dash + 1)..];
        var index = 0;
        while (
            index < sessions.Count
            && (
                sessions[index].UpdatedAt.UtcTicks > ticks
                || (sessions[index].UpdatedAt.UtcTicks == ticks && string.CompareOrdinal(sessions[index].Id.Value, id) <= 0)
            )
        )
        {
            index++;
        }

        return index;
    }
}

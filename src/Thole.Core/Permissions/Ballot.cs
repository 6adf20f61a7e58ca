using Thole.Protocol;

namespace Thole.Core.Permissions;

/// <summary>What a vote comes to. Pure: an election, the votes so far, and one more.</summary>
internal static class Ballot
{
    /// <returns>
    /// The answer where this vote decides; else that it was counted, or why it was not. Null where this identity has said so already: a
    /// vote that is sent again is written once.
    /// </returns>
    public static SessionEvent? Cast(
        AnswerPermission vote,
        Election? election,
        IReadOnlyDictionary<string, bool> cast,
        Actor voter
    )
    {
        var answer = new PermissionAnswered(vote.Call, vote.Allow && !vote.Cancels, vote.Answers, vote.Reason, vote.Cancels);
        if (election is null || vote.Cancels)
        {
            return answer; // whoever takes the question away leaves the call undone: that needs no majority
        }

        switch (election.Policy)
        {
            case VotePolicy.Designated when election.Designated is { } one && one != voter.Identity:
                return new VoteRefused(vote.Call, vote.Allow, "designated_mismatch");
            case VotePolicy.LocalOnly when vote.FromAfar:
                return new VoteRefused(vote.Call, vote.Allow, "remote_not_allowed");
            case VotePolicy.Consensus when !election.Voters.Contains(voter.Identity, StringComparer.Ordinal):
                return new VoteRefused(vote.Call, vote.Allow, "not_a_voter");
            case VotePolicy.Consensus when cast.TryGetValue(voter.Identity, out var earlier):
                // The first vote of an identity stands: a majority cannot be made by voting again.
                return earlier == vote.Allow ? null : new VoteRefused(vote.Call, vote.Allow, "already_voted");
            case VotePolicy.Consensus:
                var (allowing, refusing) = Count(cast.Values.Append(vote.Allow));
                return (vote.Allow ? allowing : refusing) >= election.Quorum
                    ? answer
                    : new PermissionVoted(vote.Call, vote.Allow, allowing, refusing, election.Quorum);
            default:
                return answer;
        }
    }

    /// <summary>
    /// Nobody can decide it any more: whatever those say who have not voted yet, neither answer reaches the quorum. It would wait for ever.
    /// </summary>
    /// <returns>Why, in one sentence; null where it can still be decided.</returns>
    public static string? Stuck(Election? election, IReadOnlyDictionary<string, bool> cast)
    {
        if (election is not { Policy: VotePolicy.Consensus })
        {
            return null;
        }

        var (allowing, refusing) = Count(cast.Values);
        var left = election.Voters.Count(voter => !cast.ContainsKey(voter));
        return Math.Max(allowing, refusing) + left < election.Quorum
            ? $"No majority can be reached any more: {allowing} for it, {refusing} against it, and {election.Quorum} must agree."
            : null;
    }

    private static (int Allowing, int Refusing) Count(IEnumerable<bool> votes)
    {
        var all = votes.ToList();
        var allowing = all.Count(static allow => allow);
        return (allowing, all.Count - allowing);
    }
}

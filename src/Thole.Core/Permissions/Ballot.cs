using Thole.Protocol;

namespace Thole.Core.Permissions;

/// <summary>What a vote comes to. Pure: an election, the votes so far, and one more.</summary>
internal static class Ballot
{
    /// <returns>The answer where this vote decides; else that it was counted, or why it was not.</returns>
    public static SessionEvent Cast(
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
            case VotePolicy.Consensus:
                // The first vote of an identity stands: a majority cannot be made by voting again.
                var mine = cast.TryGetValue(voter.Identity, out var earlier) ? earlier : vote.Allow;
                var others = cast.Where(other => other.Key != voter.Identity).ToList();
                var allowing = others.Count(other => other.Value) + (mine ? 1 : 0);
                var refusing = others.Count(other => !other.Value) + (mine ? 0 : 1);
                return (mine ? allowing : refusing) >= election.Quorum
                    ? answer with
                    {
                        Allow = mine,
                    }
                    : new PermissionVoted(vote.Call, mine, allowing, refusing, election.Quorum);
            default:
                return answer;
        }
    }
}

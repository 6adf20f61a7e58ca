using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>Names those who decide a question when it is asked: the policy is the daemon's, the voters are who is there.</summary>
internal static class Electorate
{
    public static Election? Of(SessionOptions options, IReadOnlyList<string> present, Actor asker)
    {
        switch (options.PermissionPolicy)
        {
            case VotePolicy.FirstResponder:
                return null;
            case VotePolicy.Consensus:
                // Whoever asked for the work is a voter also where they have left: a question is never nobody's.
                var voters = present
                    .Append(asker.Identity)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)
                    .ToList();
                var quorum = Math.Min(options.Quorum ?? (voters.Count / 2) + 1, voters.Count);
                return new Election(VotePolicy.Consensus, quorum, voters);
            default:
                return new Election(options.PermissionPolicy, Quorum: 1, [], asker.Identity);
        }
    }
}

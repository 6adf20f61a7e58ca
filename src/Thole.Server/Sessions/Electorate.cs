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
                // Where nobody is there who may approve, the first who comes decides: a question is never nobody's.
                return present is []
                    ? null
                    : new Election(
                        VotePolicy.Consensus,
                        Math.Min(options.Quorum ?? (present.Count / 2) + 1, present.Count),
                        present
                    );
            default:
                return new Election(options.PermissionPolicy, Quorum: 1, [], asker.Identity);
        }
    }
}

using Thole.Core.Permissions;
using Thole.Protocol;

namespace Thole.Core.Tests.Permissions;

/// <summary>What one vote comes to, given an election and the votes before it.</summary>
public sealed class BallotSpecs
{
    private static readonly CallId s_call = new("call_1");
    private static readonly Election s_consensus = new(VotePolicy.Consensus, Quorum: 2, ["ann", "bob", "cid"]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_an_election_the_first_answer_decides(bool allow)
    {
        var answer = Assert.IsType<PermissionAnswered>(
            Ballot.Cast(new AnswerPermission(s_call, allow, ["blue"], "because"), election: null, None(), new Actor("ann"))
        );

        Assert.Equal((allow, "because", false), (answer.Allow, answer.Reason, answer.Cancelled));
        Assert.Equal(["blue"], answer.Answers);
    }

    [Fact]
    public void The_first_responder_decides() =>
        Assert.True(Decided(Vote(new Election(VotePolicy.FirstResponder, 1, []), None(), "anybody", allow: true)));

    [Fact]
    public void Only_the_designated_decides_from_whichever_client()
    {
        var election = new Election(VotePolicy.Designated, 1, [], Designated: "ann");

        Assert.Equal("designated_mismatch", Refusal(Vote(election, None(), "bob", allow: true)));
        Assert.Equal("designated_mismatch", Refusal(Vote(election, None(), "annabel", allow: false)));
        Assert.True(Decided(Vote(election, None(), "ann/phone", allow: true)));
    }

    [Fact]
    public void Where_nobody_is_designated_anybody_decides() =>
        Assert.True(Decided(Vote(new Election(VotePolicy.Designated, 1, []), None(), "bob", allow: true)));

    [Fact]
    public void A_vote_from_afar_does_not_count_where_only_this_machine_decides()
    {
        var election = new Election(VotePolicy.LocalOnly, 1, []);
        var vote = new AnswerPermission(s_call, Allow: true, []);

        Assert.Equal(
            "remote_not_allowed",
            Refusal(Ballot.Cast(vote with { FromAfar = true }, election, None(), new Actor("ann")))
        );
        Assert.True(Decided(Ballot.Cast(vote, election, None(), new Actor("ann"))));
    }

    [Fact]
    public void Whoever_was_not_there_when_it_was_asked_has_no_vote() =>
        Assert.Equal("not_a_voter", Refusal(Vote(s_consensus, None(), "dan", allow: true)));

    [Fact]
    public void The_vote_that_makes_the_majority_decides_and_those_before_it_are_counted()
    {
        Assert.IsType<PermissionVoted>(Vote(s_consensus, None(), "ann", allow: true));
        Assert.True(Decided(Vote(s_consensus, Votes(("ann", true)), "bob", allow: true)));
        Assert.False(Decided(Vote(s_consensus, Votes(("ann", false)), "bob", allow: false)));
    }

    [Fact]
    public void Yes_and_no_are_counted_apart()
    {
        Assert.IsType<PermissionVoted>(Vote(s_consensus, Votes(("ann", true)), "bob", allow: false));
        Assert.False(Decided(Vote(s_consensus, Votes(("ann", true), ("bob", false)), "cid", allow: false)));
    }

    [Fact]
    public void An_identity_that_says_the_same_again_from_whichever_client_says_nothing_new() =>
        Assert.Null(Cast(s_consensus, Votes(("ann", true)), "ann/phone", allow: true));

    [Fact]
    public void An_identity_has_one_vote_and_cannot_take_it_back() =>
        Assert.Equal("already_voted", Refusal(Vote(s_consensus, Votes(("ann", true)), "ann/phone", allow: false)));

    [Theory]
    [InlineData(2, 2, 1, 1, true)] // a tie
    [InlineData(4, 3, 2, 2, true)]
    [InlineData(3, 3, 1, 1, true)] // all must agree, and two do not: the third changes nothing
    [InlineData(3, 2, 1, 1, false)] // the third decides
    [InlineData(4, 3, 2, 1, false)]
    [InlineData(3, 3, 0, 2, false)] // all may still refuse
    [InlineData(3, 2, 0, 0, false)]
    public void A_question_is_stuck_as_soon_as_neither_answer_can_reach_the_quorum(
        int voters,
        int quorum,
        int allowing,
        int refusing,
        bool isStuck
    )
    {
        string[] names = [.. Enumerable.Range(0, voters).Select(number => $"voter{number}")];
        var cast = names.Take(allowing + refusing).Index().ToDictionary(one => one.Item, one => one.Index < allowing);

        var why = Ballot.Stuck(new Election(VotePolicy.Consensus, quorum, names), cast);

        Assert.Equal(isStuck, why is not null);
        Assert.True(why is null || why.Contains($"{allowing} for", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(VotePolicy.FirstResponder)]
    [InlineData(VotePolicy.Designated)]
    [InlineData(VotePolicy.LocalOnly)]
    public void Where_one_answer_decides_nothing_is_ever_stuck(VotePolicy policy)
    {
        Assert.Null(Ballot.Stuck(new Election(policy, 1, []), None()));
        Assert.Null(Ballot.Stuck(election: null, None()));
    }

    [Theory]
    [InlineData(VotePolicy.FirstResponder)]
    [InlineData(VotePolicy.Designated)]
    [InlineData(VotePolicy.Consensus)]
    [InlineData(VotePolicy.LocalOnly)]
    public void To_take_the_question_away_needs_no_majority_and_never_allows(VotePolicy policy)
    {
        var answer = Assert.IsType<PermissionAnswered>(
            Ballot.Cast(
                new AnswerPermission(s_call, Allow: true, [], Cancels: true, FromAfar: true),
                new Election(policy, Quorum: 3, [], Designated: "ann"),
                None(),
                new Actor("bob")
            )
        );

        Assert.Equal((false, true), (answer.Allow, answer.Cancelled));
    }

    private static SessionEvent Vote(Election election, Dictionary<string, bool> cast, string by, bool allow) =>
        Assert.IsAssignableFrom<SessionEvent>(Cast(election, cast, by, allow));

    private static SessionEvent? Cast(Election election, Dictionary<string, bool> cast, string by, bool allow) =>
        Ballot.Cast(new AnswerPermission(s_call, allow, []), election, cast, new Actor(by));

    private static bool Decided(SessionEvent? happened) => Assert.IsType<PermissionAnswered>(happened).Allow;

    private static string Refusal(SessionEvent? happened) => Assert.IsType<VoteRefused>(happened).Reason;

    private static Dictionary<string, bool> None() => [];

    private static Dictionary<string, bool> Votes(params (string By, bool Allow)[] votes) =>
        votes.ToDictionary(vote => vote.By, vote => vote.Allow, StringComparer.Ordinal);
}

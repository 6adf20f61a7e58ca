using Thole.Cli.Headless;
using Thole.Protocol;

namespace Thole.Cli.Tests.Headless;

public sealed class TurnTallySpecs
{
    [Fact]
    public void What_the_steps_of_a_turn_used_is_summed_and_what_no_step_told_stays_unknown()
    {
        var tally = new TurnTally();
        Add(tally, new TurnStarted(new TurnId("t"), new PromptId("p"), []));
        Add(tally, new MessageCompleted("done", new Usage(10, 5, CacheWriteTokens: 3)));
        Add(tally, new MessageCompleted("done", new Usage(20, 6, 8)));
        Add(tally, new ContextCompacted("s", 1, new Usage(1, 1, CacheWriteTokens: 4)));

        Assert.Equal(new Usage(31, 12, 8, null, 7), Add(tally, new TurnEnded(new TurnId("t"), TurnOutcome.Completed))!.Usage);
    }

    private static RunSummary? Add(TurnTally tally, SessionEvent happened) =>
        tally.Add(new Envelope(1, DateTimeOffset.UnixEpoch, Actor.Model, happened));
}

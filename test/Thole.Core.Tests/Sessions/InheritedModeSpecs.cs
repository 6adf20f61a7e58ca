using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>A mode that asks less is a right, and a right is not found in a file: which process goes on with it, and which does not.</summary>
public sealed class InheritedModeSpecs
{
    private static readonly SessionRules s_daemon = new(KeepsQuestions: true, KeepsGrantedModes: true);

    [Theory]
    [InlineData(ApprovalMode.Yolo)]
    [InlineData(ApprovalMode.AutoEdit)]
    public async Task A_mode_that_one_process_was_given_is_not_that_of_the_next_which_asks_more(ApprovalMode given)
    {
        await using var first = await OpenAsync(s_daemon);
        await first.SubmitAsync(new SelectApprovalMode(given));

        await using var next = await first.RestartAsync(new ScriptedModel());

        Assert.Equal(ApprovalMode.Default, next.Status.ApprovalMode);
        var said = next.Log.Envelopes[^1];
        Assert.Equal(new ApprovalModeSelected(ApprovalMode.Default, given), said.Event);
        Assert.Equal(Actor.Runtime, said.Actor);
    }

    [Fact]
    public async Task Nor_is_the_one_that_a_session_was_opened_with()
    {
        var options = new TestOptions { Rules = s_daemon, ApprovalMode = ApprovalMode.Yolo };
        await using var first = await TestSession.OpenAsync(new ScriptedModel(), options: options);
        Assert.Equal(ApprovalMode.Yolo, first.Status.ApprovalMode);
        options.ApprovalMode = ApprovalMode.AutoEdit;

        await using var next = await first.RestartAsync(new ScriptedModel());

        Assert.Equal(ApprovalMode.AutoEdit, next.Status.ApprovalMode);
    }

    [Theory]
    [InlineData(ApprovalMode.Plan, ApprovalMode.Default)]
    [InlineData(ApprovalMode.Default, ApprovalMode.AutoEdit)]
    [InlineData(ApprovalMode.Yolo, ApprovalMode.Yolo)]
    public async Task One_that_asks_as_much_or_more_stays(ApprovalMode left, ApprovalMode ours)
    {
        var options = new TestOptions { Rules = s_daemon, ApprovalMode = left };
        await using var first = await TestSession.OpenAsync(new ScriptedModel(), options: options);
        options.ApprovalMode = ours;

        await using var next = await first.RestartAsync(new ScriptedModel());

        Assert.Equal(left, next.Status.ApprovalMode);
        Assert.DoesNotContain(next.Log.Events, happened => happened is ApprovalModeSelected);
    }

    [Fact]
    public async Task What_somebody_chose_who_may_stays_with_a_daemon_until_somebody_chooses_again()
    {
        await using var first = await OpenAsync(s_daemon);
        await first.SubmitAsync(new SelectApprovalMode(ApprovalMode.Yolo, Granted: true), new Actor("ann"));

        await using var second = await first.RestartAsync(new ScriptedModel());
        Assert.Equal(ApprovalMode.Yolo, second.Status.ApprovalMode);
        await second.SubmitAsync(new SelectApprovalMode(ApprovalMode.AutoEdit), new Actor("bob"));

        await using var third = await second.RestartAsync(new ScriptedModel());
        Assert.Equal(ApprovalMode.Default, third.Status.ApprovalMode);
    }

    [Fact]
    public async Task A_run_has_the_right_it_was_given_whatever_was_granted_elsewhere()
    {
        await using var first = await OpenAsync(new SessionRules());
        await first.SubmitAsync(new SelectApprovalMode(ApprovalMode.Yolo, Granted: true));

        await using var next = await first.RestartAsync(new ScriptedModel());

        Assert.Equal(ApprovalMode.Default, next.Status.ApprovalMode);
    }

    [Fact]
    public async Task A_prompt_that_waited_is_judged_by_the_mode_of_the_process_that_runs_it()
    {
        List<ApprovalMode> judged = [];
        var tool = new TestTool("rm", "gone");
        var options = new TestOptions
        {
            Rules = s_daemon,
            ApprovalMode = ApprovalMode.Yolo,
            Judge = (_, mode) =>
            {
                judged.Add(mode);
                return mode is ApprovalMode.Yolo ? Verdict.Allow : Verdict.Deny;
            },
        };
        await using var first = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Hang()), [tool], options);
        await first.PromptAsync("one");
        await first.UntilAsync<StepStarted>();
        await first.PromptAsync("two");
        options.ApprovalMode = ApprovalMode.Default;

        await using var next = await first.RestartAsync(
            new ScriptedModel().Step(step => step.Call("rm")).Step(step => step.Text("no"))
        );
        await next.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal([ApprovalMode.Default], judged);
        Assert.Equal(0, tool.Runs);
    }

    private static Task<TestSession> OpenAsync(SessionRules rules) =>
        TestSession.OpenAsync(new ScriptedModel(), options: new TestOptions { Rules = rules });
}

using Thole.Core.Models;
using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Routing;

/// <summary>Who is asked for what, and who steps in.</summary>
public sealed class RoutingSpecs
{
    private const string Workspace = "/home/anna/app";

    private readonly Dictionary<string, ScriptedModel> _models = new(StringComparer.Ordinal)
    {
        ["test/model"] = new(),
        ["cloud/strong"] = new(),
        ["cloud/other"] = new(),
        ["local/small"] = new(),
        ["local/other"] = new(),
    };

    [Fact]
    public async Task Without_rules_it_is_the_model_of_the_session()
    {
        Says("test/model", "Yes.");
        await using var session = await OpenAsync(RoutingRules.None);

        await RunAsync(session);

        var step = Assert.Single(Steps(session));
        Assert.Equal(("test/model", null), (step.Model, step.Route));
    }

    [Fact]
    public async Task The_first_rule_that_fits_goes_over_roles_and_over_the_model_of_the_session()
    {
        _models["local/small"].Step(step => step.Text("plan"));
        await using var session = await OpenAsync(
            new RoutingRules
            {
                Roles = new Dictionary<ModelRole, string> { [ModelRole.Plan] = "cloud/other" },
                Rules =
                [
                    new RoutingRule("cloud/strong", [ModelRole.Review], null, [], null),
                    new RoutingRule("local/small", [ModelRole.Plan], null, [], null),
                ],
            },
            ApprovalMode.Plan
        );

        await RunAsync(session);

        var step = Assert.Single(Steps(session));
        Assert.Equal(("local/small", "rule 2 of the routes"), (step.Model, step.Route));
    }

    [Fact]
    public async Task A_role_has_its_model()
    {
        Says("cloud/strong", "plan");
        await using var session = await OpenAsync(
            new RoutingRules { Roles = new Dictionary<ModelRole, string> { [ModelRole.Plan] = "cloud/strong" } },
            ApprovalMode.Plan
        );

        await RunAsync(session);

        Assert.Equal(("cloud/strong", "the role plan"), (Steps(session)[0].Model, Steps(session)[0].Route));
    }

    [Fact]
    public async Task A_rule_of_a_path_holds_from_when_the_session_has_touched_it()
    {
        _models["test/model"].Step(step => step.Call("touch", "docs/a.md"));
        Says("local/small", "Done.");
        await using var session = await OpenAsync(
            new RoutingRules { Rules = [new RoutingRule("local/small", [], null, [Rule("docs/**")], null)] }
        );

        await RunAsync(session);

        Assert.Equal(["test/model", "local/small"], Steps(session).Select(step => step.Model));
        Assert.Equal(["docs/a.md"], Events(session).OfType<CallRequested>().Single().Touches);
    }

    [Fact]
    public async Task A_context_that_grows_beyond_a_size_goes_to_whom_the_rule_names()
    {
        _models["test/model"].Step(step => step.Call("touch", "a").Finish(usage: new Usage(50_000, 10)));
        Says("cloud/strong", "Done.");
        await using var session = await OpenAsync(
            new RoutingRules { Rules = [new RoutingRule("cloud/strong", [], null, [], 40_000)] }
        );

        await RunAsync(session);

        Assert.Equal(["test/model", "cloud/strong"], Steps(session).Select(step => step.Model));
    }

    [Theory]
    [InlineData(ModelFailure.RateLimited)]
    [InlineData(ModelFailure.Overloaded)]
    [InlineData(ModelFailure.Network)]
    [InlineData(ModelFailure.StreamCut)]
    [InlineData(ModelFailure.QuotaExhausted)]
    public async Task Who_cannot_answer_gives_way_with_the_reason_in_the_log(ModelFailure failure)
    {
        _models["test/model"].Step(step => step.Text("I be").Fail(failure, "It is down."));
        _models["cloud/strong"].Step(step => step.Text("Half").Fail(ModelFailure.Overloaded, "So is this."));
        _models["cloud/other"].Step(step => step.Text("Here.").Call("touch", "a").Finish()).Step(step => step.Text("Done."));
        Says("test/model", "Back again.");
        await using var session = await OpenAsync(
            new RoutingRules { Fallbacks = ["cloud/strong", "nobody/knows", "cloud/other"] }
        );

        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);

        var failed = Events(session).OfType<AttemptFailed>().ToList();
        Assert.Equal(
            [("It is down.", "cloud/strong"), ("So is this.", "cloud/other")],
            failed.Select(attempt => (attempt.Message, attempt.Next))
        );
        // The next step begins with the first again; what the other said is the other's.
        var shown = _models["test/model"].Requests[^1].Items.OfType<AssistantItem>().Single();
        Assert.Equal(("Here.", "cloud/other"), (shown.Text, shown.Model));
        Assert.Equal("other", _models["cloud/other"].Requests[0].Model);
    }

    [Theory]
    [InlineData(ModelFailure.Unauthorized)]
    [InlineData(ModelFailure.InvalidRequest)]
    [InlineData(ModelFailure.ContentRefused)]
    [InlineData(ModelFailure.UnknownModel)]
    public async Task What_is_the_fault_of_the_request_is_not_asked_elsewhere(ModelFailure failure)
    {
        _models["test/model"].Step(step => step.Fail(failure));
        await using var session = await OpenAsync(new RoutingRules { Fallbacks = ["cloud/strong"] });

        Assert.NotEqual(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Empty(_models["cloud/strong"].Requests);
    }

    [Theory]
    [InlineData("private/a.cs")]
    [InlineData("./**")]
    [InlineData("**")]
    public async Task What_must_stay_on_this_machine_is_shown_to_nobody_elsewhere(string touched)
    {
        _models["test/model"].Step(step => step.Call("touch", touched));
        Says("local/small", "Done.", "Again.");
        await using var session = await OpenAsync(
            new RoutingRules
            {
                LocalPaths = [Rule("private")],
                LocalModel = "local/small",
                Fallbacks = ["cloud/strong", "cloud/other"],
                Rules = [new RoutingRule("cloud/strong", [], null, [Rule("private")], null)],
            }
        );

        await RunAsync(session);
        await RunAsync(session);

        Assert.Equal(["test/model", "local/small", "local/small"], Steps(session).Select(step => step.Model));
        Assert.Equal("what it knows of private may not leave this machine", Steps(session)[1].Route);
        Assert.Empty(_models["cloud/strong"].Requests);
    }

    [Fact]
    public async Task Where_no_model_on_this_machine_can_answer_nothing_is_sent()
    {
        _models["test/model"].Step(step => step.Call("touch", "private/a.cs"));
        _models["local/small"].Step(step => step.Fail(ModelFailure.Network, "Cannot reach local."));
        await using var session = await OpenAsync(
            new RoutingRules
            {
                LocalPaths = [Rule("private")],
                LocalModel = "local/small",
                Fallbacks = ["cloud/strong"],
            }
        );

        var down = await RunAsync(session);

        Assert.Equal(TurnOutcome.ProviderFailed, down.Outcome);
        Assert.Equal(
            "Cannot reach local. Nobody else may be asked: the session has touched private, which may not leave this machine.",
            down.Message
        );
        Assert.Empty(_models["cloud/strong"].Requests);
        Assert.Single(_models["test/model"].Requests);
    }

    [Fact]
    public async Task Without_any_model_on_this_machine_the_turn_is_refused_before_anything_is_sent()
    {
        await using var session = await OpenAsync(
            new RoutingRules { LocalPaths = [PathRule.Parse("/home/anna", null)], Fallbacks = ["cloud/strong"] }
        );

        var refused = await RunAsync(session);

        Assert.Equal(TurnOutcome.ProviderFailed, refused.Outcome);
        Assert.Contains("which may not leave this machine, and test/model is elsewhere", refused.Message);
        Assert.Empty(_models["test/model"].Requests);
    }

    [Fact]
    public async Task A_restart_does_not_forget_what_was_touched()
    {
        _models["test/model"].Step(step => step.Call("touch", "private/a.cs"));
        Says("local/small", "Done.", "Again.");
        var options = Options(new RoutingRules { LocalPaths = [Rule("private")], LocalModel = "local/small" });
        await using var first = await OpenAsync(options);
        await RunAsync(first);

        await using var second = await first.RestartAsync(_models["test/model"], Tools);
        await RunAsync(second);

        Assert.Equal("local/small", Steps(second)[^1].Model);
        Assert.Single(_models["test/model"].Requests);
    }

    [Fact]
    public async Task An_image_that_the_model_cannot_see_is_described_once_by_one_that_can()
    {
        Says("test/model", "I see.", "Still.");
        Says("cloud/other", "A red square.");
        await using var session = await OpenAsync(
            new RoutingRules { Roles = new Dictionary<ModelRole, string> { [ModelRole.Vision] = "cloud/other" } }
        );

        await RunAsync(session, new ImageContent("image/png", new BlobId("picture")));
        await RunAsync(session);

        var described = Assert.Single(Events(session).OfType<MediaDescribed>());
        Assert.Equal(("A red square.", "cloud/other"), (described.Text, described.Model));
        Assert.All(_models["test/model"].Requests, request => Assert.Equal("A red square.", request.Descriptions["picture"]));
        Assert.Single(_models["cloud/other"].Requests);
    }

    [Fact]
    public async Task Where_nobody_can_see_it_the_user_is_told_once()
    {
        Says("test/model", "I see nothing.", "Still.");
        await using var session = await OpenAsync(RoutingRules.None);

        await RunAsync(session, new ImageContent("image/png", new BlobId("picture")));
        await RunAsync(session);

        Assert.Equal(
            "test/model cannot be shown an image (image/png): choose a model that takes it, or name one in roles.vision that describes it.",
            Assert.Single(Events(session).OfType<MediaLeftOut>()).Message
        );
    }

    [Fact]
    public async Task Whoever_describes_and_fails_does_not_end_the_turn()
    {
        Says("test/model", "I see nothing.");
        _models["cloud/other"].Step(step => step.Text("A re").Fail(ModelFailure.Unauthorized, "No key."));
        await using var session = await OpenAsync(
            new RoutingRules { Roles = new Dictionary<ModelRole, string> { [ModelRole.Vision] = "cloud/other" } }
        );

        var ended = await RunAsync(session, new ImageContent("image/png", new BlobId("picture")));

        Assert.Equal(TurnOutcome.Completed, ended.Outcome);
        Assert.Equal("cloud/other did not describe it: No key.", Assert.Single(Events(session).OfType<MediaLeftOut>()).Message);
    }

    private static PathRule Rule(string pattern) => PathRule.Parse(pattern, home: null);

    /// <summary>A tool whose arguments are what it touches.</summary>
    private static IReadOnlyList<ITool> Tools =>
        [
            new TestTool("touch", "touched")
            {
                Touches = static arguments =>
                    arguments is "**" ? [Touch.Anything]
                    : arguments is "./**" ? [Touch.ReadBelow(new WorkspacePath(Workspace, ""))]
                    : [Touch.Read(new WorkspacePath(Workspace, arguments))],
            },
        ];

    private void Says(string model, params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            _models[model].Step(step => step.Text(text));
        }
    }

    private TestOptions Options(RoutingRules rules) =>
        new()
        {
            Workspace = Workspace,
            Routing = rules,
            Endpoints = name =>
                _models.TryGetValue(name, out var model)
                    ? new ModelEndpoint(name, name[(name.IndexOf('/') + 1)..], model, new ModelLimits(200_000, 8_000))
                    {
                        IsLocal = name.StartsWith("local/", StringComparison.Ordinal),
                        Takes = name is "cloud/other" ? Modalities.Image : Modalities.None,
                    }
                    : throw new ModelException(ModelFailure.UnknownModel, $"Nobody knows {name}."),
        };

    private async Task<TestSession> OpenAsync(RoutingRules rules, ApprovalMode mode = ApprovalMode.Default)
    {
        var session = await OpenAsync(Options(rules));
        await session.SubmitAsync(new SelectApprovalMode(mode));
        return session;
    }

    private Task<TestSession> OpenAsync(TestOptions options) => TestSession.OpenAsync(_models["test/model"], Tools, options);

    /// <summary>Until the turn of a prompt has ended.</summary>
    private static async Task<TurnEnded> RunAsync(TestSession session, params Content[] beside)
    {
        var before = Events(session).OfType<TurnEnded>().Count();
        Content[] content = [new TextContent("go"), .. beside];
        await session.SubmitAsync(new Prompt(new PromptId($"p{before}"), content));
        return (TurnEnded)(await session.UntilAsync<TurnEnded>(before + 1))[^1].Event;
    }

    private static List<StepStarted> Steps(TestSession session) => [.. Events(session).OfType<StepStarted>()];

    private static IEnumerable<SessionEvent> Events(TestSession session) => session.Log.Envelopes.Select(e => e.Event);
}

using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.Probing;
using Thole.Providers.TextCalls;
using Thole.Testing.Models;
using static Thole.Testing.Models.ScriptedProbes;

namespace Thole.Providers.Tests.Probing;

public sealed class ModelTestSpecs
{
    private static readonly string[] s_probes =
    [
        "streaming",
        "usage",
        "reasoning",
        "tool call",
        "arguments",
        "reasoning echo",
        "parallel calls",
        "stop reason",
        "images",
        "cache hits",
    ];

    public static TheoryData<TextCallFormat, string> Written { get; } =
        new()
        {
            {
                TextCallFormat.QwenCoder,
                "<tool_call>\n<function=record>\n"
                    + "<parameter=title>\nHe said \"yes\" \\ no\n</parameter>\n<parameter=place>\nZürich – 東京 🙂\n</parameter>\n"
                    + "<parameter=grid>\n[[1,2],[3]]\n</parameter>\n<parameter=count>\n42\n</parameter>\n"
                    + "<parameter=ratio>\n0.5\n</parameter>\n<parameter=done>\ntrue\n</parameter>\n</function>\n</tool_call>"
            },
            { TextCallFormat.Hermes, $$"""<tool_call>{"name":"record","arguments":{{Arguments}}}</tool_call>""" },
            {
                TextCallFormat.Glm,
                "<tool_call>record\n<arg_key>title</arg_key>\n<arg_value>He said \"yes\" \\ no</arg_value>\n"
                    + "<arg_key>place</arg_key>\n<arg_value>Zürich – 東京 🙂</arg_value>\n"
                    + "<arg_key>grid</arg_key>\n<arg_value>[[1,2],[3]]</arg_value>\n<arg_key>count</arg_key>\n<arg_value>42</arg_value>\n"
                    + "<arg_key>ratio</arg_key>\n<arg_value>0.5</arg_value>\n<arg_key>done</arg_key>\n<arg_value>true</arg_value>\n</tool_call>"
            },
            {
                TextCallFormat.KimiK2,
                $"<|tool_calls_section_begin|><|tool_call_begin|>functions.record:0<|tool_call_argument_begin|>{Arguments}<|tool_call_end|><|tool_calls_section_end|>"
            },
            {
                TextCallFormat.DeepSeekV31,
                $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>record<｜tool▁sep｜>{Arguments}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            },
        };

    [Theory]
    [InlineData("openai")]
    [InlineData("openai-responses")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public async Task What_a_good_server_does_is_found_on_every_wire(string provider)
    {
        await using var server = ScriptedModelServer.Start();
        server.AnswerProbes();

        var (profile, told) = await TestAsync(server, $"{provider}/scripted");

        Assert.Equal(s_probes, profile.Rows.Select(row => row.Name));
        Assert.Equal(profile.Rows, told);
        Assert.All(profile.Rows, row => Assert.Equal((row.Name, ProbeOutcome.Ok), (row.Name, row.Outcome)));
        Assert.Equal("51 tokens in, 80 out", Row(profile, "usage").Detail);
        Assert.StartsWith("12 chunks", Row(profile, "streaming").Detail);
        Assert.Equal("4,096 of 4,600 tokens came from a cache", Row(profile, "cache hits").Detail);
        Assert.Equal((null, null, true, null), (profile.TextCalls, profile.ThinksInText, profile.TakesImages, profile.Repairs));
        Assert.Equal(8, server.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Written))]
    public async Task Calls_that_come_as_text_are_read_by_the_parser_that_the_profile_names(TextCallFormat format, string text)
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => Says("Call the tool record")(request) && !Says("written down")(request),
                reply => reply.Text(text).Done()
            )
            .AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.Equal(format, profile.TextCalls);
        Assert.Equal(ProbeOutcome.Ok, Row(profile, "tool call").Outcome);
        Assert.Equal(ProbeOutcome.Ok, Row(profile, "arguments").Outcome);
        using var catalog = Catalogs.Of(server, profiles: _ => profile);
        Assert.Equal(format, catalog.SettingsOf(ProviderCatalog.All[0], "scripted", profile).TextCalls);
    }

    [Fact]
    public async Task Thoughts_in_the_text_are_told_from_it()
    {
        await using var server = ScriptedModelServer.Start();
        server.ReplyWhen(Says("from 1 to 40"), reply => reply.Text("<think>Easy.</think>1 2 3").Done()).AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.True(profile.ThinksInText);
        Assert.Equal("shown as <think> in the text", Row(profile, "reasoning").Detail);
        server.Reply(reply => reply.Text("<think>Hm.</think>Yes.").Done());
        using var catalog = Catalogs.Of(server, profiles: _ => profile);
        var asked = await Asked.AskAsync(catalog.Find("openai/scripted").Client);
        Assert.Equal(("Hm.", "Yes."), (asked.Reasoning, asked.Text));
    }

    [Theory]
    [InlineData("max_tokens", "Unsupported parameter: use 'max_completion_tokens' instead of 'max_tokens'")]
    [InlineData("stream_options", "Extra inputs are not permitted")]
    public async Task What_an_endpoint_does_not_take_is_left_out_or_said_otherwise(string field, string complaint)
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => request.Json.TryGetProperty(field, out _),
                reply => reply.Status(400, $$$"""{"error":{"message":"{{{complaint}}}"}}""")
            )
            .AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.Equal(
            field is "max_tokens"
                ? new ChatRepairs(OutputLimitField: "max_completion_tokens")
                : new ChatRepairs(AsksForUsage: false),
            profile.Repairs
        );
        Assert.All(profile.Rows, row => Assert.Equal(ProbeOutcome.Ok, row.Outcome));
        server.Reply(reply => reply.Text("Hi.").Done());
        using var catalog = Catalogs.Of(server, set: new() { MaxOutput = 9 }, profiles: _ => profile);
        Assert.Equal("Hi.", (await Asked.AskAsync(catalog.Find("openai/scripted").Client)).Text);
    }

    [Fact]
    public async Task Reasoning_that_an_endpoint_refuses_to_see_again_is_not_sent_back()
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => Says("\"reasoning_content\"")(request),
                reply => reply.Status(400, """{"error":{"message":"Unknown field"}}""")
            )
            .AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.Equal(ReasoningEcho.Never, profile.Repairs!.Echo);
        Assert.Equal(ProbeOutcome.Ok, Row(profile, "reasoning echo").Outcome);
    }

    [Fact]
    public async Task A_field_for_reasoning_that_an_endpoint_demands_is_always_there()
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => Says("written down")(request) && !Says("\"reasoning_content\":\"")(request),
                reply => reply.Status(400, """{"error":{"message":"reasoning_content is missing"}}""")
            )
            .ReplyWhen(
                request => Says("Call the tool record")(request) && !Says("written down")(request),
                reply => reply.Call("record", Arguments).Done()
            )
            .AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.Equal(ReasoningEcho.Always, profile.Repairs!.Echo);
    }

    [Fact]
    public async Task What_is_refused_is_not_supported_and_ends_no_other_probe()
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(Says("image_url"), reply => reply.Status(400, """{"error":{"message":"no \u001b[31mimages"}}"""))
            .ReplyWhen(Says("weather in Rome"), reply => reply.Status(500, "{}"))
            .ReplyWhen(Says("from 1 to 500"), reply => reply.Text("1 2").Done())
            .ReplyWhen(
                request => Says("Call the tool record")(request) && !Says("written down")(request),
                reply =>
                    reply
                        .Call(
                            "record",
                            """{"title":"He said yes","place":"Z?rich","grid":"[[1,2],[3]]","count":"42","ratio":0.5,"done":true}"""
                        )
                        .Done()
            )
            .ReplyWhen(Says("Rule 300"), reply => reply.Text("ok").WithoutUsage().Done())
            .AnswerProbes();

        var (profile, _) = await TestAsync(server);

        Assert.Equal(s_probes, profile.Rows.Select(row => row.Name));
        Assert.Equal(ProbeOutcome.NotSupported, Row(profile, "images").Outcome);
        Assert.DoesNotContain('\e', Row(profile, "images").Detail);
        Assert.False(profile.TakesImages);
        Assert.Equal(ProbeOutcome.NotOk, Row(profile, "parallel calls").Outcome);
        Assert.Equal(ProbeOutcome.NotOk, Row(profile, "stop reason").Outcome);
        Assert.Equal(
            "not as they were meant: quotes and backslashes, letters beyond ASCII, lists in lists, whole numbers",
            Row(profile, "arguments").Detail
        );
        Assert.Equal(
            (ProbeOutcome.NotSupported, "tokens from a cache are not counted"),
            (Row(profile, "cache hits").Outcome, Row(profile, "cache hits").Detail)
        );
    }

    [Theory]
    [InlineData(401, ModelFailure.Unauthorized)]
    [InlineData(404, ModelFailure.UnknownModel)]
    public async Task Where_nothing_can_be_asked_the_first_question_is_the_last(int status, ModelFailure failure)
    {
        await using var server = ScriptedModelServer.Start();
        server.ReplyOtherwise(reply => reply.Status(status, "{}"));

        var failed = await Assert.ThrowsAsync<ModelException>(() => TestAsync(server));

        Assert.Equal(failure, failed.Failure);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task An_endpoint_that_refuses_everything_is_asked_no_more_than_was_said()
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => Says("Call the tool record")(request) && !Says("written down")(request),
                reply => reply.Call("record", Arguments).Done()
            )
            .ReplyOtherwise(reply => reply.Status(400, """{"error":{"message":"no"}}"""));

        var (profile, _) = await TestAsync(server);

        Assert.InRange(server.Requests.Count, 1, ModelTest.MostRequests);
        Assert.Null(profile.Repairs);
    }

    [Fact]
    public void A_profile_goes_over_what_is_known_and_under_what_is_set()
    {
        var profile = new ModelProfile
        {
            TestedAt = DateTimeOffset.UnixEpoch,
            TakesImages = false,
            TextCalls = TextCallFormat.Hermes,
        };
        var address = new Uri("https://api.test/v1");
        List<ProfilePlace> asked = [];
        using var tested = Catalogs.Of(
            address,
            profiles: place =>
            {
                asked.Add(place);
                return profile;
            }
        );
        using var set = Catalogs.Of(address, set: new() { Takes = Modalities.Image }, profiles: _ => profile);

        Assert.Empty(asked); // not before a model is opened
        Assert.Equal(Modalities.Pdf, tested.Find("openai/gpt-5").Takes);
        Assert.Equal(new ProfilePlace("openai", "https://api.test/v1", "gpt-5"), Assert.Single(asked));
        Assert.Equal(Modalities.Image, set.Find("openai/gpt-5").Takes);
    }

    private static ProbeRow Row(ModelProfile profile, string name) => profile.Rows.Single(row => row.Name == name);

    private static async Task<(ModelProfile Profile, IReadOnlyList<ProbeRow> Told)> TestAsync(
        ScriptedModelServer server,
        string name = "openai/scripted"
    )
    {
        using var catalog = Catalogs.Of(
            name.StartsWith("gemini", StringComparison.Ordinal) ? new Uri(server.BaseAddress, "/v1beta") : server.BaseAddress,
            name.Split('/')[0]
        );
        List<ProbeRow> told = [];
        var (_, profile) = await new ModelTest(catalog).RunAsync(name, told.Add, TestContext.Current.CancellationToken);
        return (profile, told);
    }
}

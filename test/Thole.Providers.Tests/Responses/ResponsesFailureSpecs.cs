using Thole.Core.Models;
using static Thole.Providers.Tests.Responses.ResponsesAsked;

namespace Thole.Providers.Tests.Responses;

/// <summary>Every way in which a response can fail after it has begun.</summary>
public sealed class ResponsesFailureSpecs
{
    [Theory]
    [InlineData("""{"type":"error","error":{"type":"server_error","message":"Boom."}}""", ModelFailure.Overloaded)]
    [InlineData("""{"type":"error","code":"rate_limit_exceeded","message":"Boom.","param":null}""", ModelFailure.RateLimited)]
    [InlineData("""{"type":"error","code":"insufficient_quota","message":"Boom."}""", ModelFailure.QuotaExhausted)]
    [InlineData("""{"type":"error","code":"slow_down","message":"Boom."}""", ModelFailure.Overloaded)]
    [InlineData("""{"type":"error","error":{"code":"content_filter","message":"Boom."}}""", ModelFailure.ContentRefused)]
    [InlineData("""{"error":{"message":"Boom.","code":"context_length_exceeded"}}""", ModelFailure.ContextOverflow)]
    [InlineData("""{"error":"Boom."}""", ModelFailure.StreamError)]
    [InlineData("""{"message":"Boom."}""", ModelFailure.StreamError)]
    [InlineData(
        """{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"Boom."}}}""",
        ModelFailure.Overloaded
    )]
    [InlineData(
        """{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"Flagged under our usage policy. Boom."}}}""",
        ModelFailure.ContentRefused
    )]
    public async Task An_error_inside_the_stream_is_an_error(string error, ModelFailure failure)
    {
        var asked = await AskAsync(Text("Let me "), Event(error), Completed());

        Assert.Equal("Let me ", asked.Text);
        Assert.Equal(failure, asked.Failure!.Failure);
        Assert.EndsWith("Boom.", asked.Failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"response.failed","response":{"status":"failed","error":null}}""", ModelFailure.StreamError)]
    [InlineData("""{"type":"response.failed"}""", ModelFailure.StreamError)]
    [InlineData("""{"type":"response.completed","response":{"status":"failed"}}""", ModelFailure.StreamError)]
    [InlineData("""{"type":"response.cancelled","response":{"status":"cancelled"}}""", ModelFailure.StreamCut)]
    public async Task A_status_that_means_failure_is_one_and_no_call_is_made(string end, ModelFailure failure)
    {
        var asked = await AskAsync(
            Event(
                """{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"a","name":"one","arguments":"{}"}}"""
            ),
            Event(end)
        );

        Assert.Equal(failure, asked.Failure!.Failure);
        Assert.Empty(asked.Calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("data: [DONE]\n\n")]
    public async Task Without_a_status_nothing_is_whole_however_it_ends(string end)
    {
        var asked = await AskAsync(
            Text("Hi."),
            Event(
                """{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"a","name":"one","arguments":"{}"}}"""
            ),
            end
        );

        Assert.Equal(ModelFailure.StreamCut, asked.Failure!.Failure);
        Assert.Empty(asked.Calls);
    }

    [Theory]
    [InlineData("""{"error":{"message":"Boom.","type":"server_error"}}""", ModelFailure.Overloaded)]
    [InlineData("""{"status":"failed","error":{"code":"server_error","message":"Boom."},"output":[]}""", ModelFailure.Overloaded)]
    [InlineData("""{"status":"failed","error":null,"output":[]}""", ModelFailure.StreamError)]
    [InlineData("""{"status":"in_progress","output":[]}""", ModelFailure.StreamCut)]
    [InlineData("""{"status":"queued","output":[]}""", ModelFailure.StreamCut)]
    [InlineData("""{"hello":"world"}""", ModelFailure.StreamError)]
    [InlineData("data: [DONE]\n\n", ModelFailure.StreamError)]
    [InlineData("<html><body>Hi.</body></html>", ModelFailure.InvalidRequest)]
    public async Task A_document_that_is_no_answer_is_none(string document, ModelFailure failure)
    {
        Assert.Equal(failure, (await AskAsync(document)).Failure!.Failure);
    }
}

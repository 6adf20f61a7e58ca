using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Thole.Protocol;
using Thole.Server.Requests;

namespace Thole.Server;

/// <summary>Turns every failure into the one shape of an error: a sentence, a code, no path of this machine and no stack.</summary>
internal sealed class Failures(PathScrubber paths, long bodyLimit, Action<string> log)
{
    public async Task AnswerAsync(HttpContext context, Exception failure)
    {
        if (failure is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            return; // nobody is there to be told
        }

        var problem = Problem(failure);
        if (problem is null)
        {
            log($"{context.Request.Method} failed: {failure}");
            problem = new ProblemException(500, "internal_error", "A defect of ours; the daemon's log says more.");
        }

        if (context.Response.HasStarted)
        {
            context.Abort(); // half of an answer must not look like a whole one
            return;
        }

        try
        {
            await WriteAsync(context.Response, problem);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client left while it was told.
        }
    }

    private ProblemException? Problem(Exception failure) =>
        failure switch
        {
            ProblemException problem => problem,
            RefusedException refused => new ProblemException(
                StatusOf(refused.Reason),
                refused.Reason,
                paths.Scrub(refused.Message)
            ),
            BadHttpRequestException { StatusCode: 413 } => RequestBody.TooLarge(bodyLimit),
            BadHttpRequestException { StatusCode: 408 } => new ProblemException(
                408,
                "request_timeout",
                "The request body came too slowly; send it again."
            )
            {
                ClosesConnection = true,
            },
            BadHttpRequestException => new ProblemException(400, "bad_request", "The request is not well-formed HTTP.")
            {
                ClosesConnection = true,
            },
            _ => null,
        };

    private static int StatusOf(string reason) =>
        reason switch
        {
            "session_not_found" => 404,
            "workspace_mismatch" or "session_ambiguous" => 400,
            "session_unwritable" => 503,
            "model_unavailable" or "no_credentials" or "invalid_metadata" => 400,
            _ => 409, // what cannot be, as things stand: session_in_use, session_closed, …
        };

    private static async Task WriteAsync(HttpResponse response, ProblemException problem)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("error", problem.Message);
            writer.WriteString("code", problem.Code);
            foreach (var (name, value) in problem.Extras)
            {
                Write(writer, name, value);
            }

            writer.WriteEndObject();
        }

        response.StatusCode = problem.Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = buffer.WrittenCount;
        if (problem.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString();
        }

        if (problem.ClosesConnection)
        {
            response.Headers.Connection = "close";
        }

        await response.BodyWriter.WriteAsync(buffer.WrittenMemory, response.HttpContext.RequestAborted);
    }

    private static void Write(Utf8JsonWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null:
                break;
            case string text:
                writer.WriteString(name, text);
                break;
            case bool flag:
                writer.WriteBoolean(name, flag);
                break;
            case int or long:
                writer.WriteNumber(name, Convert.ToInt64(value));
                break;
            case IEnumerable<string> texts:
                writer.WriteStartArray(name);
                foreach (var text in texts)
                {
                    writer.WriteStringValue(text);
                }

                writer.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"The member {name} of an error is a {value.GetType().Name}.", nameof(value));
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Thole.Testing.Models;

/// <summary>
/// One answer of a <see cref="ScriptedModelServer"/>: <c>reply.Text("I look.").Call("read_file", """{"path":"a"}""").Done()</c>.
/// What is said is put on the wire as chat completions stream it; everything that goes wrong in the world can be said too.
/// </summary>
public sealed class ScriptedReply
{
    private readonly List<Step> _steps = [];
    private int _calls;
    private JsonObject? _usage = Counted(10, 5, 0);

    internal int StatusCode { get; private set; } = 200;

    internal List<(string Name, string Value)> Headers { get; } = [];

    internal string ContentType { get; private set; } = "text/event-stream";

    internal Framing Framing { get; private set; } = Framing.Chunked;

    internal int PieceSize { get; private set; } = int.MaxValue;

    /// <summary>Says it in pieces of a word each.</summary>
    public ScriptedReply Text(string text) => Pieces("content", text);

    public ScriptedReply Reasoning(string text, string field = "reasoning_content") => Pieces(field, text);

    /// <summary>Asks for a tool; the arguments come in two pieces, as they do.</summary>
    public ScriptedReply Call(string name, string arguments = "{}", string? id = null)
    {
        var index = _calls++;
        var half = arguments.Length / 2;
        return Delta(
                new JsonObject
                {
                    ["tool_calls"] = new JsonArray(
                        new JsonObject
                        {
                            ["index"] = index,
                            ["id"] = id ?? $"call_{index + 1}",
                            ["type"] = "function",
                            ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments[..half] },
                        }
                    ),
                }
            )
            .Delta(
                new JsonObject
                {
                    ["tool_calls"] = new JsonArray(
                        new JsonObject
                        {
                            ["index"] = index,
                            ["function"] = new JsonObject { ["arguments"] = arguments[half..] },
                        }
                    ),
                }
            );
    }

    /// <summary>What <see cref="Done"/> will count; ten tokens in and five out where nothing is said.</summary>
    public ScriptedReply Usage(long input, long output, long cached = 0)
    {
        _usage = Counted(input, output, cached);
        return this;
    }

    public ScriptedReply WithoutUsage()
    {
        _usage = null;
        return this;
    }

    /// <summary>Ends the answer as a well-behaved server does: a reason, the usage, the end mark.</summary>
    public ScriptedReply Done(string? finishReason = null)
    {
        Finish(finishReason ?? (_calls > 0 ? "tool_calls" : "stop"));
        if (_usage is not null)
        {
            Chunk(new JsonObject { ["choices"] = new JsonArray(), ["usage"] = _usage.DeepClone() }.ToJsonString());
        }

        return EndMark();
    }

    public ScriptedReply Finish(string? finishReason) => Delta([], finishReason);

    public ScriptedReply EndMark() => Chunk("[DONE]");

    public ScriptedReply Error(string message, string type = "server_error") =>
        Chunk(
            new JsonObject
            {
                ["error"] = new JsonObject { ["message"] = message, ["type"] = type },
            }.ToJsonString()
        );

    /// <summary>One event with that data, whatever it is.</summary>
    public ScriptedReply Chunk(string data) => Raw($"data: {data}\n\n");

    public ScriptedReply Comment(string text = "keep-alive") => Raw($": {text}\n\n");

    public ScriptedReply Raw(string text) => Raw(Encoding.UTF8.GetBytes(text));

    public ScriptedReply Raw(byte[] bytes)
    {
        _steps.Add(new Bytes(bytes));
        return this;
    }

    /// <summary>An answer that is no stream.</summary>
    public ScriptedReply Json(string body) => Body(body, "application/json");

    public ScriptedReply Body(string body, string contentType)
    {
        ContentType = contentType;
        return Raw(body);
    }

    public ScriptedReply Status(int code, string body = "", string contentType = "application/json")
    {
        StatusCode = code;
        Framing = Framing.Length;
        return Body(body, contentType);
    }

    public ScriptedReply Header(string name, string value)
    {
        Headers.Add((name, value));
        return this;
    }

    /// <summary>Goes on once the test lets it: a gate, not a sleep. What was said before is on the wire by then.</summary>
    public ScriptedReply Wait(Task gate)
    {
        _steps.Add(new Gate(gate));
        return this;
    }

    /// <summary>Says nothing more, until the client leaves or the server is disposed.</summary>
    public ScriptedReply Hang() => Wait(Task.Delay(Timeout.Infinite));

    /// <summary>Breaks the connection here.</summary>
    public ScriptedReply Cut(bool reset = false)
    {
        _steps.Add(new Break(reset));
        return this;
    }

    /// <summary>Of all that was said so far, only so many bytes; then the answer ends as if it were whole.</summary>
    public ScriptedReply CutAt(int offset)
    {
        var all = AllBytes();
        _steps.Clear();
        return Raw(all[..Math.Min(offset, all.Length)]);
    }

    public ScriptedReply WithCrLf()
    {
        var text = Encoding.Latin1.GetString(AllBytes()).Replace("\r\n", "\n").Replace("\n", "\r\n");
        _steps.Clear();
        return Raw(Encoding.Latin1.GetBytes(text));
    }

    /// <summary>Each piece is flushed on its own; what the client reads may still join them.</summary>
    public ScriptedReply InPiecesOf(int size)
    {
        PieceSize = size;
        return this;
    }

    /// <summary>No length and no chunks: the end of the connection is the end of the answer, as with HTTP/1.0.</summary>
    public ScriptedReply UntilClose()
    {
        Framing = Framing.UntilClose;
        return this;
    }

    internal IReadOnlyList<Step> Steps => _steps;

    internal byte[] AllBytes() => [.. _steps.OfType<Bytes>().SelectMany(step => step.Content)];

    private ScriptedReply Pieces(string field, string text)
    {
        for (int at = 0, next; at < text.Length; at = next)
        {
            var space = text.IndexOf(' ', at);
            next = space < 0 ? text.Length : space + 1;
            Delta(new JsonObject { [field] = text[at..next] });
        }

        return this;
    }

    private ScriptedReply Delta(JsonObject delta, string? finishReason = null) =>
        Chunk(
            new JsonObject
            {
                ["id"] = "chatcmpl-scripted",
                ["object"] = "chat.completion.chunk",
                ["created"] = 1,
                ["model"] = "scripted",
                ["choices"] = new JsonArray(
                    new JsonObject
                    {
                        ["index"] = 0,
                        ["delta"] = delta,
                        ["finish_reason"] = finishReason,
                    }
                ),
            }.ToJsonString()
        );

    private static JsonObject Counted(long input, long output, long cached) =>
        new()
        {
            ["prompt_tokens"] = input,
            ["completion_tokens"] = output,
            ["total_tokens"] = input + output,
            ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = cached },
        };

    internal string Head(int bodyLength)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {StatusCode} Scripted\r\nContent-Type: {ContentType}\r\n");
        foreach (var (name, value) in Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        head.Append(
            Framing switch
            {
                Framing.Chunked => "Transfer-Encoding: chunked\r\n",
                Framing.Length => $"Content-Length: {bodyLength}\r\n",
                _ => "Connection: close\r\n",
            }
        );
        return head.Append("\r\n").ToString();
    }

    internal abstract record Step;

    internal sealed record Bytes(byte[] Content) : Step;

    internal sealed record Gate(Task Opened) : Step;

    internal sealed record Break(bool Reset) : Step;
}

internal enum Framing
{
    Chunked,
    Length,
    UntilClose,
}

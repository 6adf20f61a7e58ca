using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Thole.Testing.Models.Wires;

namespace Thole.Testing.Models;

/// <summary>
/// One answer of a <see cref="ScriptedModelServer"/>: <c>reply.Text("I look.").Call("read_file", """{"path":"a"}""").Done()</c>.
/// What is said is put on the wire as it is streamed where the request went; everything that goes wrong in the world can be said too.
/// </summary>
public sealed class ScriptedReply
{
    private readonly List<Step> _steps = [];
    private readonly string _path;
    private readonly ScriptedWire _wire;
    private int _calls;
    private ScriptedUsage? _usage = new(10, 5, 0);

    /// <param name="path">Where the request went, which says what is spoken there.</param>
    internal ScriptedReply(string path) => (_path, _wire) = (path, ScriptedWire.For(path));

    internal int StatusCode { get; private set; } = 200;

    internal List<(string Name, string Value)> Headers { get; } = [];

    internal string ContentType { get; private set; } = "text/event-stream";

    internal Framing Framing { get; private set; } = Framing.Chunked;

    internal int PieceSize { get; private set; } = int.MaxValue;

    /// <summary>Says it in pieces of a word each.</summary>
    public ScriptedReply Text(string text) => Words(text, piece => Said(_wire.Text(piece)));

    /// <param name="field">The name under which chat completions carry it; other wires have one name only.</param>
    public ScriptedReply Reasoning(string text, string field = "reasoning_content") =>
        Words(text, piece => Said(_wire.Reasoning(piece, field)));

    /// <summary>Asks for a tool; the arguments come in two pieces, as they do, where the wire has pieces.</summary>
    public ScriptedReply Call(string name, string arguments = "{}", string? id = null) =>
        Said(_wire.Call(name, arguments, id ?? $"call_{++_calls}"));

    /// <summary>What <see cref="Done"/> will count; ten tokens in and five out where nothing is said.</summary>
    /// <param name="cached">How many of the input were read from a cache.</param>
    public ScriptedReply Usage(long input, long output, long cached = 0)
    {
        _usage = new ScriptedUsage(input, output, cached);
        return this;
    }

    public ScriptedReply WithoutUsage()
    {
        _usage = null;
        return this;
    }

    /// <summary>Ends the answer as a well-behaved server does: a reason, the usage, the end mark.</summary>
    /// <param name="finishReason">In the words of the wire.</param>
    public ScriptedReply Done(string? finishReason = null) => Said(_wire.Done(finishReason, _usage));

    /// <summary>Ends the answer because it is as long as it may be.</summary>
    public ScriptedReply DoneAtLimit() => Done(_wire.OutputLimit);

    /// <summary>The reason alone, without usage or end mark.</summary>
    public ScriptedReply Finish(string? finishReason) => Said(_wire.Finish(finishReason));

    public ScriptedReply EndMark() => Said(_wire.EndMark());

    public ScriptedReply Error(string message, string type = "server_error") => Said(_wire.Error(message, type));

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

    /// <summary>A list of models, in the words of whoever is asked for it at that path.</summary>
    public ScriptedReply Models(params IReadOnlyList<string> names)
    {
        var list = new JsonArray([
            .. names.Select(name =>
                _path.Contains("/v1beta/", StringComparison.Ordinal)
                    ? new JsonObject
                    {
                        ["name"] = $"models/{name}",
                        ["inputTokenLimit"] = 1_048_576,
                        ["outputTokenLimit"] = 65_536,
                    }
                    : new JsonObject { ["id"] = name, ["object"] = "model" }
            ),
        ]);
        return Json(
            new JsonObject { [_path.Contains("/v1beta/", StringComparison.Ordinal) ? "models" : "data"] = list }.ToJsonString()
        );
    }

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

    private ScriptedReply Said(IEnumerable<ScriptedEvent> events)
    {
        foreach (var (name, data) in events)
        {
            Raw($"{(name is null ? "" : $"event: {name}\n")}data: {data}\n\n");
        }

        return this;
    }

    private ScriptedReply Words(string text, Action<string> say)
    {
        for (int at = 0, next; at < text.Length; at = next)
        {
            var space = text.IndexOf(' ', at);
            next = space < 0 ? text.Length : space + 1;
            say(text[at..next]);
        }

        return this;
    }

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

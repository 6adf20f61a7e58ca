namespace Thole.Testing.Models.Wires;

/// <summary>How a script is said in one protocol. A value serves one answer: it may count what it said.</summary>
internal abstract class ScriptedWire
{
    /// <summary>What is spoken at a path.</summary>
    public static ScriptedWire For(string path) =>
        path.EndsWith("/messages", StringComparison.Ordinal) ? new ScriptedMessages()
        : path.Split('?')[0].EndsWith("/responses", StringComparison.Ordinal) ? new ScriptedResponses()
        : path.Contains(":streamGenerateContent", StringComparison.Ordinal) ? new ScriptedGemini()
        : new ScriptedChat();

    /// <summary>The reason to finish where the answer was as long as it may be.</summary>
    public abstract string OutputLimit { get; }

    public abstract IEnumerable<ScriptedEvent> Text(string piece);

    public abstract IEnumerable<ScriptedEvent> Reasoning(string piece, string field);

    public abstract IEnumerable<ScriptedEvent> Call(string name, string arguments, string id);

    /// <param name="reason">In the words of the wire; null for what fits what was said.</param>
    public abstract IEnumerable<ScriptedEvent> Done(string? reason, ScriptedUsage? usage);

    /// <summary>A reason, and no end.</summary>
    public abstract IEnumerable<ScriptedEvent> Finish(string? reason);

    /// <summary>Nothing, on a wire that has no end mark.</summary>
    public abstract IEnumerable<ScriptedEvent> EndMark();

    public abstract IEnumerable<ScriptedEvent> Error(string message, string type);
}

/// <param name="Name">Null for an event without a name.</param>
internal readonly record struct ScriptedEvent(string? Name, string Data);

/// <summary>Tokens; those from a cache are among the input.</summary>
internal sealed record ScriptedUsage(long Input, long Output, long Cached);

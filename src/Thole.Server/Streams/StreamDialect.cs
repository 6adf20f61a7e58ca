using System.Buffers;
using System.Runtime.CompilerServices;
using Thole.Protocol;

namespace Thole.Server.Streams;

/// <summary>How events look to the readers of one kind of stream.</summary>
internal abstract class StreamDialect
{
    // Readers who keep up get the same envelope from the runtime: what was written for one of them serves all.
    private readonly ConditionalWeakTable<Envelope, byte[]> _written = [];

    public ReadOnlyMemory<byte> Of(SessionId session, Envelope envelope) =>
        IsLasting(envelope.Event) ? _written.GetValue(envelope, happened => Write(session, happened)) : Write(session, envelope);

    /// <summary>What a reader is told who has just got everything that had happened when it came.</summary>
    public abstract void WriteWelcome(IBufferWriter<byte> output, Welcome welcome);

    /// <summary>A reader takes less than comes.</summary>
    public abstract void WriteSlow(IBufferWriter<byte> output, Lag lag);

    /// <summary>Something changed for all sessions of the workspace.</summary>
    public abstract void WriteNews(IBufferWriter<byte> output, WorkspaceNews news, DateTimeOffset at, string? originator);

    /// <summary>The stream ends before its session: the reader may come back with its cursor.</summary>
    public abstract void WriteGoodbye(IBufferWriter<byte> output, SessionId session, string reason, Lag lag);

    protected abstract void Write(IBufferWriter<byte> output, SessionId session, Envelope envelope);

    /// <summary>It is said of this event in the same words for ever; else they depend on what is so when they are said.</summary>
    protected virtual bool IsLasting(SessionEvent happened) => true;

    private byte[] Write(SessionId session, Envelope envelope)
    {
        var output = new ArrayBufferWriter<byte>(256);
        Write(output, session, envelope);
        return output.WrittenSpan.ToArray();
    }
}

/// <param name="After">The reader's cursor when it came; null where it wanted only what follows.</param>
/// <param name="Replayed">How many events it has got since.</param>
/// <param name="WantsSnapshot">It asked for the state though it has no cursor.</param>
internal sealed record Welcome(SessionStatus Status, long? After, long Replayed, bool WantsSnapshot)
{
    /// <summary>Questions that are open and were asked before anything this reader got.</summary>
    public IEnumerable<OpenQuestion> Unseen => Status.Questions.Where(question => question.Sequence <= (After ?? Status.Latest));
}

/// <param name="Behind">Events that have happened and that the reader has not taken.</param>
/// <param name="Most">How many it may be behind before it is told.</param>
/// <param name="Last">The number of the last event it was given: the cursor to come back with.</param>
internal readonly record struct Lag(long Behind, int Most, long Last);

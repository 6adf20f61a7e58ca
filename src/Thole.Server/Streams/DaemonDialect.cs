using System.Buffers;
using Thole.Protocol;
using Thole.Wire.Daemon;

namespace Thole.Server.Streams;

/// <summary>Events in the frames of the daemon protocol.</summary>
internal sealed class DaemonDialect(ILiveSessions live) : StreamDialect
{
    public override void WriteWelcome(IBufferWriter<byte> output, Welcome welcome)
    {
        var status = welcome.Status;
        if (welcome.After is not null)
        {
            new DaemonFrame(
                "replay_complete",
                data =>
                {
                    data.WriteString("sessionId", status.Session.Value);
                    data.WriteNumber("replayedCount", welcome.Replayed);
                    if (welcome.Replayed > 0)
                    {
                        data.WriteNumber("lastReplayedEventId", status.Latest);
                        data.WriteNumber("lastEventId", status.Latest);
                    }
                }
            ).WriteEvent(output);
        }

        if (welcome.After is not null || welcome.WantsSnapshot)
        {
            Snapshot(status).WriteEvent(output);
        }

        var frames = new DaemonFrames(status.Session, new Now(live, status.Session));
        foreach (var question in welcome.Unseen)
        {
            frames.Again(question).WriteEvent(output);
        }
    }

    public override void WriteSlow(IBufferWriter<byte> output, Lag lag) =>
        new DaemonFrame(
            "slow_client_warning",
            data =>
            {
                data.WriteNumber("queueSize", lag.Behind);
                data.WriteNumber("maxQueued", lag.Most);
                data.WriteNumber("lastEventId", lag.Last);
                data.WriteString("threshold", "frames");
            }
        ).WriteEvent(output);

    public override void WriteNews(IBufferWriter<byte> output, WorkspaceNews news, DateTimeOffset at, string? originator) =>
        NewsFrames.Of(news, at, originator).WriteEvent(output);

    // A client takes "evicted" for the end of its session; only who was too slow is told that.
    public override void WriteGoodbye(IBufferWriter<byte> output, SessionId session, string reason, Lag lag) =>
        new DaemonFrame(
            reason is "writer_idle_timeout" ? "client_evicted" : "stream_closed",
            data =>
            {
                data.WriteString("sessionId", session.Value);
                data.WriteString("reason", reason);
                data.WriteNumber("droppedAfter", lag.Last);
                data.WriteNumber("queueSize", lag.Behind);
                data.WriteNumber("maxQueued", lag.Most);
            }
        ).WriteEvent(output);

    protected override void Write(IBufferWriter<byte> output, SessionId session, Envelope envelope)
    {
        foreach (var frame in new DaemonFrames(session, new Now(live, session)).Of(envelope))
        {
            frame.WriteEvent(output);
        }
    }

    protected override bool IsLasting(SessionEvent happened) => happened is not (SessionClosed or PermissionRequested);

    private static DaemonFrame Snapshot(SessionStatus status) =>
        new(
            "session_snapshot",
            data =>
            {
                data.WriteString("sessionId", status.Session.Value);
                data.WriteString("currentModelId", status.Model);
                data.WriteString("currentApprovalMode", DaemonWords.Word(status.ApprovalMode));
                data.WriteBoolean("recordingDegraded", false);
                data.WriteString("state", StateWord(status));
                data.WriteNumber("latestEventId", status.Latest);
                if (status.Turn is { } turn)
                {
                    data.WriteString("promptId", turn.Prompt.Value);
                }

                data.WriteNumber("queuedPrompts", status.Waiting.Count);
                data.WriteStartArray("pendingPermissions");
                foreach (var question in status.Questions)
                {
                    data.WriteStringValue(DaemonWords.RequestId(status.Session, question.Call.Id));
                }

                data.WriteEndArray();
            }
        );

    /// <summary>Whether it works, rests, or waits for somebody's answer.</summary>
    public static string StateWord(SessionStatus status) =>
        status.Turn is null ? "idle"
        : status.Questions is [_, ..] ? "waiting"
        : "running";

    private sealed class Now(ILiveSessions live, SessionId session) : IFrameContext
    {
        public bool IsClosed => live.Find(session) is { IsClosed: true };

        public OpenQuestion? OpenCall(CallId call) =>
            live.Find(session)?.Questions.FirstOrDefault(question => question.Call.Id == call);

        public string? Asker => live.Find(session)?.Turn?.Asker.Client;
    }
}

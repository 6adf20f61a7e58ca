using System.Text.Json;
using Thole.Core.Sessions;
using Thole.Protocol;

namespace Thole.Core.Tests.Sessions;

/// <summary>What holds after every event of every log, told by a bookkeeping that shares nothing with the fold.</summary>
internal sealed class HistoryRules
{
    private enum Place
    {
        Waiting,
        Steering,
        Running,
        Ended,
        Withdrawn,
        Taken,
    }

    private readonly Dictionary<PromptId, Place> _prompts = [];
    private readonly HashSet<CallId> _started = [];
    private readonly HashSet<CallId> _completed = [];
    private readonly Dictionary<CallId, bool?> _asked = [];
    private (TurnId Turn, PromptId Prompt, bool IsInterrupted)? _running;
    private bool _isClosed;
    private long _latest;

    /// <summary>The state after the newest event.</summary>
    public SessionState State { get; private set; } = SessionState.Empty;

    public IEnumerable<PromptId> Accepted => _prompts.Keys;

    /// <summary>The rules for the whole of a log.</summary>
    public static HistoryRules Check(IReadOnlyList<Envelope> log, Random random)
    {
        var rules = new HistoryRules();
        SessionState? restored = null;
        foreach (var envelope in log)
        {
            rules.Follow(envelope);
            restored = restored?.Apply(envelope);
            if (random.Next(50) == 0)
            {
                // As a process does that opens the session here, from a snapshot.
                var bytes = JsonSerializer.SerializeToUtf8Bytes(rules.State, CoreJson.Default.SessionState);
                restored = JsonSerializer.Deserialize(bytes, CoreJson.Default.SessionState);
            }
        }

        if (restored is not null)
        {
            Assert.Equal(Text(rules.State), Text(restored));
            Assert.True(rules.State.Prompts.Keys.ToHashSet().SetEquals(restored.Prompts.Keys));
        }

        return rules;
    }

    /// <summary>Nothing is left that runs, waits or is asked.</summary>
    public void MustRest()
    {
        Assert.Null(_running);
        Assert.DoesNotContain(_prompts.Values, place => place is Place.Waiting or Place.Steering or Place.Running);
        Assert.Empty(State.OpenCalls);
        Assert.DoesNotContain(_asked.Values, answer => answer is null);
        Assert.Subset(_completed, _started);
    }

    public void Follow(Envelope envelope)
    {
        Assert.Equal(++_latest, envelope.Sequence);
        var asked = State.Asked.Select(open => open.Call.Id).ToHashSet();
        State = State.Apply(envelope);
        switch (envelope.Event)
        {
            case PromptQueued(var prompt, _):
                Assert.True(!_isClosed && _running is not null);
                Assert.True(_prompts.TryAdd(prompt, Place.Waiting));
                break;
            case SteeringReceived(var prompt, _):
                Assert.True(!_isClosed && _running is not null);
                Assert.True(_prompts.TryAdd(prompt, Place.Steering));
                break;
            case TurnStarted(var turn, var prompt, _, var queuedAt):
                Assert.True(!_isClosed && _running is null);
                Assert.Equal(
                    queuedAt is null ? null : (bool?)true,
                    _prompts.TryGetValue(prompt, out var before) ? before is Place.Waiting or Place.Steering : null
                );
                _prompts[prompt] = Place.Running;
                _running = (turn, prompt, IsInterrupted: false);
                break;
            case PromptWithdrawn(var prompt):
                Assert.Contains(_prompts[prompt], (Place[])[Place.Waiting, Place.Steering]);
                _prompts[prompt] = Place.Withdrawn;
                break;
            case SteeringTaken(var turn, var messages):
                Assert.Equal((turn, false), (_running!.Value.Turn, _running.Value.IsInterrupted));
                foreach (var message in messages)
                {
                    Assert.Equal(Place.Steering, _prompts[message.Prompt]);
                    _prompts[message.Prompt] = Place.Taken;
                }

                break;
            case InterruptRequested(var turn, _):
                Assert.Equal((turn, false), (_running!.Value.Turn, _running.Value.IsInterrupted));
                _running = _running.Value with { IsInterrupted = true };
                break;
            case TurnEnded ended:
                Assert.Equal((ended.Turn, ended.Prompt), (_running!.Value.Turn, _running.Value.Prompt));
                Assert.Empty(State.OpenCalls);
                _prompts[_running.Value.Prompt] = Place.Ended;
                _running = null;
                break;
            case SessionClosed:
                Assert.False(_isClosed);
                _isClosed = true;
                break;
            case SessionReopened:
                Assert.True(_isClosed);
                _isClosed = false;
                break;
            case PermissionRequested(var call, _, _, _):
                Assert.True(_asked.TryAdd(call, null));
                break;
            case PermissionVoted(var call, _, _, _, _):
                Assert.Null(_asked[call]);
                break;
            case PermissionAnswered answered:
                Assert.Contains(answered.Call, asked);
                Assert.Null(_asked[answered.Call]);
                _asked[answered.Call] = answered.Allow;
                break;
            case CallStarted(var call):
                Assert.True(_started.Add(call));
                Assert.True(_asked.GetValueOrDefault(call, defaultValue: true)); // nothing runs that was not permitted
                break;
            case CallCompleted(var call, var outcome, _):
                Assert.True(_completed.Add(call));
                Assert.Equal(
                    _started.Contains(call),
                    outcome is CallOutcome.Succeeded or CallOutcome.Interrupted or CallOutcome.Unknown
                );
                break;
        }

        MustAgree();
    }

    private void MustAgree()
    {
        Assert.Equal(_latest, State.Latest);
        Assert.Equal((_running?.Turn, _isClosed), (State.Turn, State.IsClosed));
        Assert.Equal(Those(Place.Waiting), State.Waiting.Select(one => one.Prompt.Value).Order(StringComparer.Ordinal));
        Assert.Equal(Those(Place.Steering), State.Steering.Select(one => one.Prompt.Value).Order(StringComparer.Ordinal));
        Assert.True(_prompts.Keys.ToHashSet().SetEquals(State.Prompts.Keys));
        Assert.True(_running is not null || !State.Asked.Any());
        Assert.Equal(
            _asked.Where(one => one.Value is null).Select(one => one.Key.Value).Order(StringComparer.Ordinal),
            State.Asked.Select(open => open.Call.Id.Value).Order(StringComparer.Ordinal)
        );
    }

    private IEnumerable<string> Those(Place place) =>
        _prompts.Where(one => one.Value == place).Select(one => one.Key.Value).Order(StringComparer.Ordinal);

    private static string Text(SessionState state) =>
        JsonSerializer.Serialize(state with { Prompts = state.Prompts.Clear() }, CoreJson.Default.SessionState);
}

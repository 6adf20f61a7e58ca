using System.Text.Json;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Log;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>Whatever is asked of a session, in whatever order, by however many, through however many processes.</summary>
public sealed class HistorySpecs
{
    private static int Histories => Environment.GetEnvironmentVariable("THOLE_LONG") is "1" ? 400 : 25;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Nothing_that_was_accepted_is_lost_or_done_twice_and_the_log_says_all(int first)
    {
        for (var number = 0; number < Histories; number++)
        {
            var seed = (first * 10_000) + number;
            try
            {
                await new History(seed).RunAsync(commands: 60);
            }
            catch (Exception failure)
            {
                Assert.Fail($"History {seed}: {failure}");
            }
        }
    }

    private sealed class History(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly Random _said = new(seed + 1); // the model has one of its own: it speaks on threads of its own
        private readonly List<Prompt> _prompts = [];
        private readonly HashSet<PromptId> _acknowledged = [];
        private readonly List<(PromptId? Prompt, Task Sending)> _sent = [];
        private readonly List<(MemoryEventLog Log, SessionStatus Status)> _seen = [];
        private TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _isEnding;
        private TestSession _session = null!;

        public async Task RunAsync(int commands)
        {
            var election = new Election(VotePolicy.Consensus, Quorum: 2, ["ann", "bob", "cid"]);
            var (keeps, votes) = (_random.Next(4) > 0, _random.Next(3) == 0);
            var options = new TestOptions
            {
                Judge = static (tool, mode) => tool is "ask" && mode is not ApprovalMode.Yolo ? Verdict.Ask : Verdict.Allow,
                Rules = new SessionRules(MostWaiting: 5, keeps, TimeSpan.FromMinutes(10)),
                Elect = (_, _) => votes ? election : null,
            };
            TestTool[] tools = [new TestTool("ask", "asked"), new TestTool("run", "run"), new TestTool("slow", SlowAsync)];
            _session = await TestSession.OpenAsync(NewModel(), tools, options);
            for (var command = 0; command < commands; command++)
            {
                await ActAsync();
                for (var spin = _random.Next(12); spin > 0; spin--)
                {
                    await Task.Yield();
                    See();
                }
            }

            await RestAsync();
            await using var session = _session;
            var rules = HistoryRules.Check(session.Log.Envelopes, _random);
            rules.MustRest();
            Assert.Subset(rules.Accepted.ToHashSet(), _acknowledged);
            Assert.Equal(Text(rules.State.ToStatus(session.Id)), Text(session.Status));
            MustHaveBeenSo();
        }

        private async Task ActAsync()
        {
            switch (_random.Next(28))
            {
                case < 6:
                    await SendAsync(NewPrompt());
                    break;
                case < 9:
                    var (id, content) = NewPrompt();
                    await SendAsync(new Steer(id, content));
                    break;
                case 9 when _prompts is not []:
                    var (known, said) = Any(_prompts);
                    await SendAsync(_random.Next(2) == 0 ? new Prompt(known, said) : new Steer(known, said));
                    break;
                case 10 when _prompts is not []:
                    var used = Any(_prompts).Id;
                    await SendAsync(new Prompt(used, [new TextContent("something else")]));
                    break;
                case 11 or 12 when _prompts is not []:
                    await SendAsync(new Withdraw(Any(_prompts).Id));
                    break;
                case 13 when Status?.Turn is { } running:
                    await SendAsync(new Interrupt(running.Turn));
                    break;
                case < 19 when Status?.Questions is [_, ..] questions:
                    var allows = _random.Next(3) > 0;
                    await SendAsync(new AnswerPermission(Any(questions).Call.Id, allows, [], Cancels: _random.Next(8) == 0));
                    break;
                case 19:
                    await SendAsync(new CloseSession());
                    break;
                case 20:
                    await SendAsync(new ReopenSession());
                    break;
                case 21:
                    await SendAsync(new SelectModel($"test/{_random.Next(3)}"));
                    break;
                case 22:
                    await SendAsync(new SelectApprovalMode(Any((ApprovalMode[])[ApprovalMode.Default, ApprovalMode.Yolo])));
                    break;
                case 23 or 24:
                    OpenGate();
                    break;
                case 25:
                    _session.Time.Advance(TimeSpan.FromMinutes(_random.Next(8)));
                    break;
                case 26:
                    await _session.Live.UnloadAsync(_session.Id, CancellationToken.None);
                    await _session.OpenAgainAsync();
                    break;
                case 27 when _random.Next(2) == 0:
                    await AcknowledgeAsync(all: false); // what is on its way may be lost, and was never promised
                    _session = await _session.KillAsync(NewModel());
                    break;
                case 27:
                    var next = _session.RestartAsync(NewModel());
                    await AcknowledgeAsync(all: true);
                    _session = await next;
                    break;
            }
        }

        private async Task SendAsync(Command command)
        {
            PromptId? prompt = command switch
            {
                Prompt(var id, _) => id,
                Steer(var id, _) => id,
                _ => null,
            };
            var actor = new Actor(Any((string[])["ann", "bob/phone", "cid", "dan"]));
            _sent.Add((prompt, _session.SubmitAsync(command, actor)));
            if (_random.Next(3) > 0)
            {
                await AcknowledgeAsync(all: true);
            }
        }

        /// <summary>Notes which prompts were promised.</summary>
        private async Task AcknowledgeAsync(bool all)
        {
            foreach (var (prompt, sending) in _sent.Where(one => all || one.Sending.IsCompleted).ToList())
            {
                _sent.Remove((prompt, sending));
                try
                {
                    await sending;
                    _ = prompt is { } accepted && _acknowledged.Add(accepted);
                }
                catch (RefusedException refused)
                {
                    Assert.Contains(
                        refused.Reason,
                        (string[])["prompt_conflict", "prompt_queue_full", "session_not_found", "session_closed"]
                    );
                }
            }

            if (!all)
            {
                _sent.Clear();
            }
        }

        /// <summary>Everybody answers, nothing holds the work up, until nothing is left to do.</summary>
        private async Task RestAsync()
        {
            await AcknowledgeAsync(all: true);
            _isEnding = true;
            OpenGate();
            while (_session.Status is { Turn: not null } status)
            {
                foreach (var question in status.Questions)
                {
                    await _session.AnswerAsync(question.Call.Id, by: "ann");
                    await _session.AnswerAsync(question.Call.Id, by: "bob");
                    await _session.AnswerAsync(question.Call.Id, by: "cid");
                }

                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
                await foreach (var _ in _session.Door.ReadAsync(_session.Id, status.Latest, patience.Token))
                {
                    break;
                }
            }
        }

        private SessionStatus? Status => _session.Live.Find(_session.Id);

        private void See()
        {
            if (Status is { } status && _seen.Count < 400)
            {
                _seen.Add((_session.Log, status));
            }
        }

        /// <summary>Whoever came in the middle was told what the log says up to the number that was named.</summary>
        private void MustHaveBeenSo()
        {
            foreach (var process in _seen.GroupBy(one => one.Log))
            {
                var states = new Dictionary<long, SessionState> { [0] = SessionState.Empty };
                var state = SessionState.Empty;
                foreach (var envelope in process.Key.Envelopes)
                {
                    state = states[envelope.Sequence] = state.Apply(envelope);
                }

                foreach (var (_, status) in process)
                {
                    Assert.Equal(Text(states[status.Latest].ToStatus(status.Session)), Text(status));
                }
            }
        }

        private ScriptedModel NewModel() => new ScriptedModel().Otherwise(Say);

        private void Say(ScriptedStep step)
        {
            switch (_isEnding ? 0 : _said.Next(8))
            {
                case 0 or 1:
                    step.Text("Done.");
                    break;
                case 2:
                    step.Text("I think").Wait(_gate.Task).Text(" so.");
                    break;
                case 3:
                    step.Call("run", $"{_said.Next(100)}");
                    break;
                case 4:
                    step.Call("ask", $"{_said.Next(100)}").Call("run").Call("ask");
                    break;
                case 5:
                    step.Call("slow").Call("ask", $"{_said.Next(100)}");
                    break;
                default:
                    step.Call("ask", $"{_said.Next(100)}");
                    break;
            }
        }

        private async Task<ToolResult> SlowAsync(string arguments, CancellationToken cancellationToken)
        {
            await _gate.Task.WaitAsync(cancellationToken);
            return ToolResult.Ok("slow");
        }

        private void OpenGate()
        {
            var opened = _gate;
            _gate = _isEnding ? _gate : new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            opened.TrySetResult();
        }

        private Prompt NewPrompt()
        {
            var prompt = new Prompt(new PromptId($"p{_prompts.Count}"), [new TextContent($"say {_prompts.Count}")]);
            _prompts.Add(prompt);
            return prompt;
        }

        private T Any<T>(IReadOnlyList<T> those) => those[_random.Next(those.Count)];

        private static string Text(SessionStatus status) => JsonSerializer.Serialize(status, ProtocolJson.Default.SessionStatus);
    }
}

using Microsoft.Extensions.Logging.Abstractions;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Routing;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing.Log;
using Thole.Testing.Models;

namespace Thole.Testing.Sessions;

/// <summary>A runtime with one session, a scripted model and tools of the test's own, seen through the one door.</summary>
public sealed class TestSession : IAsyncDisposable, IModelCatalog, IPermissionPolicy
{
    private readonly Runtime _runtime;
    private readonly IReadOnlyList<ITool> _tools;
    private TestSession? _killed;
    private int _prompts;

    private TestSession(MemoryEventStore store, ScriptedModel model, IReadOnlyList<ITool> tools, TestOptions options)
    {
        (Store, Model, Options, _tools) = (store, model, options, tools);
        _runtime = new Runtime(
            new RuntimeParts
            {
                Store = options.Disk ?? store,
                Models = options.Meter?.Invoke(this) ?? this,
                Routing = options.Routing,
                Tools = () => new ToolBox(tools),
                Policy = this,
                OpenHands = (root, blobs, seen) =>
                    new ToolContext
                    {
                        Workspace = null!, // the tools of these tests touch no files
                        Search = null!,
                        Processes = options.Processes ?? new NoProcesses(),
                        Files = new FileLedger(),
                        Blobs = blobs,
                        Time = Time,
                    },
                SystemPrompt = "You are tested.",
                Sources = options.Sources,
                Limits = new TurnLimits(options.MaxSteps),
                Rules = options.Rules,
                Elect = options.Elect,
                Time = Time,
                NewId = Guid.NewGuid,
                Logger = NullLogger.Instance,
                Version = "test",
            }
        );
    }

    public MemoryEventStore Store { get; }

    public ScriptedModel Model { get; }

    public TestOptions Options { get; }

    public ManualTime Time => Options.Time;

    public SessionId Id { get; private set; }

    public MemoryEventLog Log => Store[Id];

    public IAgentRuntime Door => _runtime;

    public ILiveSessions Live => _runtime;

    /// <summary>What is true of it now.</summary>
    public SessionStatus Status => Live.Find(Id) ?? throw new InvalidOperationException("It is not open.");

    public static async Task<TestSession> OpenAsync(
        ScriptedModel model,
        IReadOnlyList<ITool>? tools = null,
        TestOptions? options = null,
        MemoryEventStore? store = null,
        SessionId? session = null
    )
    {
        var opened = new TestSession(store ?? new MemoryEventStore(), model, tools ?? [], options ?? new TestOptions());
        opened.Id = await opened._runtime.OpenSessionAsync(
            new OpenSession
            {
                Workspace = opened.Options.Workspace,
                Session = session,
                Model = "test/model",
                ApprovalMode = opened.Options.ApprovalMode,
            },
            CancellationToken.None
        );
        return opened;
    }

    /// <summary>What a client does that was told that the session is closed.</summary>
    public async Task OpenAgainAsync() =>
        await _runtime.OpenSessionAsync(
            new OpenSession
            {
                Workspace = Options.Workspace,
                Session = Id,
                Model = "test/model",
                ApprovalMode = Options.ApprovalMode,
            },
            CancellationToken.None
        );

    /// <summary>The process ends, and another opens the session.</summary>
    public async Task<TestSession> RestartAsync(ScriptedModel model, IReadOnlyList<ITool>? tools = null)
    {
        await _runtime.DisposeAsync();
        return await NextAsync(Store, model, tools);
    }

    /// <summary>The process is gone from one moment to the next, and another opens what it left.</summary>
    public async Task<TestSession> KillAsync(ScriptedModel model, IReadOnlyList<ITool>? tools = null)
    {
        var next = await NextAsync(Store.Killed(), model, tools);
        next._killed = this; // it writes to a disk of its own from now on
        return next;
    }

    private async Task<TestSession> NextAsync(MemoryEventStore store, ScriptedModel model, IReadOnlyList<ITool>? tools)
    {
        var next = await OpenAsync(model, tools ?? _tools, Options, store, Id);
        next._prompts = _prompts;
        return next;
    }

    public Task<Receipt> PromptAsync(string text) =>
        SubmitAsync(new Prompt(new PromptId($"p{Interlocked.Increment(ref _prompts)}"), [new TextContent(text)]));

    public Task<Receipt> SteerAsync(string id, string text) => SubmitAsync(new Steer(new PromptId(id), [new TextContent(text)]));

    public Task<Receipt> AnswerAsync(CallId call, bool allow = true, string by = "user") =>
        SubmitAsync(new AnswerPermission(call, allow, []), new Actor(by));

    public Task<Receipt> SubmitAsync(Command command) => SubmitAsync(command, Actor.User);

    public async Task<Receipt> SubmitAsync(Command command, Actor actor) =>
        await _runtime.SubmitAsync(Id, command, actor, CancellationToken.None);

    /// <summary>The call that the n-th question was asked about.</summary>
    public async Task<CallId> AskedAsync(int times = 1) =>
        ((PermissionRequested)(await UntilAsync<PermissionRequested>(times))[^1].Event).Call;

    /// <summary>Everything up to the n-th event of that kind.</summary>
    public async Task<IReadOnlyList<Envelope>> UntilAsync<T>(int times = 1, long after = 0)
        where T : SessionEvent
    {
        List<Envelope> seen = [];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var envelope in _runtime.ReadAsync(Id, after, patience.Token))
        {
            seen.Add(envelope);
            if (envelope.Event is T && --times == 0)
            {
                break;
            }
        }

        return seen;
    }

    /// <summary>The kinds of the events of the turns, without what every session begins with.</summary>
    public async Task<string[]> NamesUntilAsync<T>(int times = 1)
        where T : SessionEvent =>
        [
            .. (await UntilAsync<T>(times))
                .Select(envelope => envelope.Event.GetType().Name)
                .Where(name => name is not (nameof(SessionOpened) or nameof(ContextAdded) or nameof(StepStarted))),
        ];

    public ModelEndpoint Find(string name) =>
        Options.Unusable is { } failure ? throw failure
        : Options.Endpoints is { } endpoints ? endpoints(name)
        : new(name, "model", Model, Options.Limits);

    public Judgement Judge(ITool tool, Preparation call, ApprovalMode mode) =>
        new(Options.Judge?.Invoke(tool.Name, mode) ?? Options.Verdict, "judged by the test");

    public async ValueTask DisposeAsync()
    {
        await _runtime.DisposeAsync();
        await (_killed?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private sealed class NoProcesses : IProcessRunner
    {
        public IReadOnlyList<BackgroundCommand> Background => [];

        public Task<ProcessResult> RunAsync(ProcessRequest request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("The tools of these tests start nothing.");

        public BackgroundCommand Start(ProcessRequest request) =>
            throw new InvalidOperationException("The tools of these tests start nothing.");

        public BackgroundCommand? Find(string id) => null;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>What a test wants different.</summary>
public sealed class TestOptions
{
    public string Workspace { get; init; } = "/workspace";
    public Verdict Verdict { get; set; } = Verdict.Allow;

    /// <summary>What the process asks by itself, from its next opening on.</summary>
    public ApprovalMode ApprovalMode { get; set; }

    /// <summary>By the name of the tool and the mode; where it is null, or says null, every call has <see cref="Verdict"/>.</summary>
    public Func<string, ApprovalMode, Verdict?>? Judge { get; set; }

    public SessionRules Rules { get; init; } = new();
    public Elect Elect { get; init; } = static (_, _) => null;

    public IProcessRunner? Processes { get; init; }

    /// <summary>Where the logs are, in place of the store in memory.</summary>
    public IEventStore? Disk { get; init; }

    /// <summary>Goes on over restarts.</summary>
    public ManualTime Time { get; } = new();
    public int? MaxSteps { get; init; }
    public ModelLimits Limits { get; init; } = new(ContextWindow: 100_000, MaxOutput: 4_000);
    public IReadOnlyList<IContextSource> Sources { get; init; } = [];
    public ModelException? Unusable { get; set; }
    public RoutingRules Routing { get; init; } = RoutingRules.None;

    /// <summary>Put before all models.</summary>
    public Func<IModelCatalog, IModelCatalog>? Meter { get; init; }

    /// <summary>By name, where there is more than the one model.</summary>
    public Func<string, ModelEndpoint>? Endpoints { get; init; }
}

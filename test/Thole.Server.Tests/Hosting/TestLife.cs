using System.Net;
using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Server.Defence;
using Thole.Server.Requests;
using Thole.Server.Routing;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Hosting;

/// <summary>One process of a <see cref="TestHost"/>: a runtime, and the daemon before it.</summary>
internal sealed class TestLife : IAsyncDisposable, IModelCatalog, IPermissionPolicy
{
    private readonly HostOptions _options;
    private readonly ScriptedModel _model;
    private readonly ProcessLife _process = new();
    private readonly IReadOnlyList<ITool> _tools;
    private readonly OpenStreams _streams;
    private readonly List<Task> _serving = [];
    private bool _isListening = true;

    public TestLife(TestHost home, ScriptedModel model, HostOptions options)
    {
        (_options, _model) = (options, model);
        _tools = options.Tools(_process);
        DaemonHost? host = null;
        Runtime = new Runtime(
            new RuntimeParts
            {
                Store = options.Disk ?? home.Store,
                Models = this,
                Tools = () => new ToolBox(_tools),
                Policy = this,
                OpenHands = (root, blobs, seen) =>
                    new ToolContext
                    {
                        Workspace = null!, // the tools of these tests touch no files
                        Search = null!,
                        Processes = new NoProcesses(),
                        Files = new FileLedger(),
                        Blobs = blobs,
                        Time = options.Time,
                    },
                SystemPrompt = "You are tested.",
                Sources = [],
                Limits = new TurnLimits(),
                Rules = new SessionRules(options.Sessions.MaxPendingPrompts, KeepsQuestions: true, options.PermissionTimeout),
                Elect = (session, asker) => host?.Elect(session, asker),
                Time = options.Time,
                NewId = Guid.NewGuid,
                Logger = NullLogger.Instance,
                Version = "test",
            }
        );
        var parts = new DaemonParts
        {
            Runtime = Runtime,
            Live = Runtime,
            Catalog = new MemoryCatalog(home.Store),
            Files = options.Files ?? DispatchProxy.Create<IWorkspaceFiles, Nobody>(),
            Repository = DispatchProxy.Create<IRepository, Nobody>(),
            Inventory = options.Inventory ?? DispatchProxy.Create<IInventory, Nobody>(),
            Tokens = options.Tokens,
            Workspace = TestHost.Workspace,
            RealPath = path => path,
            ResolveModel = name => name.Contains('/') ? name : $"test/{name}",
            Sessions = options.Sessions,
            Version = "test",
            Time = options.Time,
            NewId = Guid.NewGuid,
            Log = home.Log.Enqueue,
            ClientKey = "a key of the tests"u8.ToArray(),
        };
        Host = host = new DaemonHost(options.Daemon, parts);
        var bound = new IPEndPoint(IPAddress.Loopback, 4170);
        var hosts = new HostNames(bound, isSecure: false);
        var bearer = new Bearer(options.Tokens, new FailedAttempts(0, options.Time), isOpen: false);
        _streams = new OpenStreams(bearer, options.Time, Host.Stopping);
        Pipeline = new RequestPipeline(
            new OperationTable([.. Host.Operations, .. options.Extra(parts)]),
            new Gates(
                hosts,
                new Origins([], hosts.OwnOrigin),
                bearer,
                new RequestRates(options.Daemon.Rates, options.Time),
                _streams
            ),
            new Failures(new PathScrubber([]), options.Daemon.MaxBodyBytes, home.Log.Enqueue),
            options.Daemon.MaxBodyBytes,
            Host.Stopping
        );
    }

    public Runtime Runtime { get; }

    public DaemonHost Host { get; }

    /// <summary>The way of a request, for those that come without a socket.</summary>
    public RequestPipeline Pipeline { get; }

    public Uri Address { get; private set; } = null!;

    public async Task StartAsync() => Address = await Host.StartAsync(CancellationToken.None);

    /// <summary>Who has an answer of it by then has it from nobody.</summary>
    public bool IsKilled { get; set; }

    /// <summary>Stops as a process does that is asked to: whoever was let in is served to the end, with or without a socket.</summary>
    public async Task StopAsync()
    {
        await Host.StopAsync(CancellationToken.None);
        Task[] served;
        lock (_serving)
        {
            _isListening = false;
            served = [.. _serving];
        }

        await Task.WhenAll(served);
        await DisposeAsync();
    }

    /// <summary>From now on it does nothing that anybody could see.</summary>
    public void Die(Action last) => _process.End(last);

    /// <summary>Serves a request that comes without a socket.</summary>
    /// <exception cref="IOException">Nobody listens any more.</exception>
    public Task ServeAsync(Func<Task> work)
    {
        lock (_serving)
        {
            if (!_isListening)
            {
                throw new IOException("Nobody listens.");
            }

            _serving.RemoveAll(served => served.IsCompleted);
            var serving = Task.Run(work);
            _serving.Add(serving);
            return serving;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _streams.Dispose();
        await Runtime.DisposeAsync();
    }

    public ModelEndpoint Find(string name) => new(name, "model", _model, new ModelLimits(100_000_000, 4_000));

    public Judgement Judge(ITool tool, Preparation call, ApprovalMode mode) =>
        new(_options.Judge(tool.Name), "judged by the test");

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

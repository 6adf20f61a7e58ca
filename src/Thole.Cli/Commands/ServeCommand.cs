using System.CommandLine;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Thole.Cli.Configuration;
using Thole.Cli.Serving;
using Thole.Core.Access;
using Thole.Core.Models;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Server;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole serve</c>: a daemon for one workspace, until it is told to stop.</summary>
internal sealed class ServeCommand(Func<Settings> load)
{
    private static readonly PosixSignal[] s_signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];

    private readonly ServeFlags _flags = new();

    public Command Create()
    {
        var command = new Command(
            "serve",
            "Serves the sessions of one workspace to clients over HTTP, until it is told to stop."
        );
        _flags.AddTo(command);
        command.SetAction((arguments, _) => RunAsync(arguments));
        var status = new Command("status", "Says whether a daemon serves this workspace, and where.");
        status.SetAction((_, cancellationToken) => new DaemonControl(load()).StatusAsync(cancellationToken));
        var stop = new Command("stop", "Stops the daemon of this workspace, and waits for its end.");
        stop.SetAction((_, cancellationToken) => new DaemonControl(load()).StopAsync(cancellationToken));
        command.Subcommands.Add(status);
        command.Subcommands.Add(stop);
        return command;
    }

    private async Task<int> RunAsync(ParseResult arguments)
    {
        Inspection.Deny();
        var settings = load();
        using var registration = await DaemonControl.RegisterAsync(settings, CancellationToken.None);
        OwnerToken owner;
        try
        {
            owner = await OwnerToken.GetAsync(
                Environment.GetEnvironmentVariable(OwnerToken.Variable),
                settings.Locations.Access,
                TimeProvider.System,
                CancellationToken.None
            );
        }
        catch (Exception unusable) when (unusable is RefusedException or WorkspaceException)
        {
            throw new UsageException(unusable.Message, unusable);
        }

        DaemonHost? host = null;
        await using var house = new Composition(
            settings,
            rules: _flags.Rules(arguments),
            elect: (session, asker) => host?.Elect(session, asker)
        );
        var options = _flags.Options(arguments, [settings.Workspace, settings.Locations.State, settings.Locations.Config]);
        await using var running = host = new DaemonHost(options, Parts(arguments, settings, house, owner));
        using var signals = new StopSignals(s_signals);
        var address = await ListenAsync(host, settings);
        await registration.PublishAsync(
            new DaemonRecord(
                settings.Workspace,
                address.ToString().TrimEnd('/'),
                Environment.ProcessId,
                TimeProvider.System.GetUtcNow(),
                Composition.Version,
                options.TlsCertificatePath is { } certificate ? Fingerprint(certificate) : null
            ),
            CancellationToken.None
        );
        Announce(options, settings, owner, address);
        await Task.WhenAny(signals.Asked, host.StopAsked);
        await host.StopAsync(signals.AskedAgain);
        return ExitCodes.Done;
    }

    private DaemonParts Parts(ParseResult arguments, Settings settings, Composition house, OwnerToken owner) =>
        new()
        {
            Runtime = house.Runtime,
            Live = house.Runtime,
            Catalog = house.Catalog,
            Files = house.Files,
            Repository = house.Repository,
            Inventory = house.Inventory,
            Tokens = new AccessTokens(
                owner.Value,
                new TokenFile(settings.Locations.Access, TimeProvider.System),
                TimeProvider.System
            ),
            Workspace = settings.Workspace,
            RealPath = path => Directory.Exists(path) ? Workspace.RealPath(path) : null,
            ResolveModel = name => Resolve(house.Models, name),
            Sessions = _flags.Sessions(arguments, settings.Model, settings.ApprovalMode),
            Version = Composition.Version,
            Time = TimeProvider.System,
            NewId = house.NewId,
            Log = line => Terminal.Error.WriteLine($"thole: {TerminalText.EscapeLine(line)}"),
            ClientKey = HMACSHA256.HashData(Encoding.UTF8.GetBytes(owner.Value), "client ids"u8),
        };

    private static async Task<Uri> ListenAsync(DaemonHost host, Settings settings)
    {
        try
        {
            return await host.StartAsync(CancellationToken.None);
        }
        catch (CannotListenException refused)
        {
            throw new UsageException(refused.Message, refused);
        }
    }

    private static string Fingerprint(string path)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }

    private static void Announce(DaemonOptions options, Settings settings, OwnerToken owner, Uri address)
    {
        Terminal.Output.WriteLine(
            $"thole serve listening on {address.ToString().TrimEnd('/')} (workspace={TerminalText.EscapeLine(settings.Workspace)})"
        );
        Terminal.Output.Flush();
        if (options.InsecureNoAuth)
        {
            Terminal.Error.WriteLine(
                "thole: no token is asked for (--insecure-no-auth): every program on this machine may run commands here as you."
            );
        }
        else if (owner.File is { } file)
        {
            Terminal.Error.WriteLine($"thole: the owner's token is in {TerminalText.EscapeLine(file)}");
        }
    }

    private static string Resolve(IModelCatalog models, string name)
    {
        try
        {
            return models.Find(name).Name;
        }
        catch (ModelException unusable)
        {
            var reason = unusable.Failure is ModelFailure.Unauthorized ? "no_credentials" : "model_unavailable";
            throw new RefusedException(reason, unusable.Message, unusable);
        }
    }
}

using System.CommandLine;
using System.Globalization;
using Thole.Cli.Configuration;
using Thole.Protocol;
using Thole.Server;

namespace Thole.Cli.Serving;

/// <summary>The flags of <c>thole serve</c>, and what they come to.</summary>
internal sealed class ServeFlags
{
    private readonly Option<int> _port = Number("--port", "The port to listen on; 0 for any free one.", 4170, most: 65_535);
    private readonly Option<string> _hostname = new("--hostname")
    {
        Description = "The address to listen on.",
        DefaultValueFactory = _ => "127.0.0.1",
    };
    private readonly Option<string?> _certificate = new("--tls-cert") { Description = "A certificate in PEM; with --tls-key." };
    private readonly Option<string?> _key = new("--tls-key") { Description = "Its private key in PEM." };
    private readonly Option<string[]> _origins = new("--allow-origin")
    {
        Description = "A web page that may call, scheme://host[:port]; may be repeated.",
    };
    private readonly Option<bool> _open = new("--insecure-no-auth")
    {
        Description = "Asks nobody for a token, on a loopback address only: every program on this machine may do everything.",
    };
    private readonly Option<int> _sessions = Number("--max-sessions", "Sessions open at once; 0 for no limit.", 1_000);
    private readonly Option<int> _connections = Number("--max-connections", "Connections at once; 0 for no limit.", 4_096);
    private readonly Option<int> _pending = Number(
        "--max-pending-prompts",
        "Prompts that may wait in one session.",
        20,
        least: 1
    );
    private readonly Option<int> _readers = Number("--max-readers", "Event streams of one session; 0 for no limit.", 64);
    private readonly Option<int> _idle = Number(
        "--session-idle-seconds",
        "How long a session rests before it is unloaded.",
        60,
        least: 1
    );
    private readonly Option<int> _writer = Number("--writer-idle-seconds", "How long a reader may take nothing.", 30, least: 1);
    private readonly Option<int> _grace = Number("--shutdown-grace-seconds", "How long turns may take to end when it stops.", 5);
    private readonly Option<int> _permission = Number(
        "--permission-timeout-seconds",
        "How long a permission request waits; 0 for as long as its session lives.",
        0
    );
    private readonly Option<string> _policy = new("--permission-policy")
    {
        Description = "Who decides: first-responder, designated (who sent the prompt), consensus, or local-only.",
        DefaultValueFactory = _ => "first-responder",
    };
    private readonly Option<int> _quorum = Number(
        "--permission-quorum",
        "Equal votes that decide by consensus; 0 for a majority.",
        0
    );
    private readonly Option<int> _rate = Number(
        "--rate-limit",
        "Prompts a minute of one identity; five times as many changes, twenty times as many reads; 0 for no limit.",
        600
    );
    private readonly Option<bool> _blocking = new("--blocking-prompts")
    {
        Description = "Answers a prompt when its turn ends, for clients of the first preview.",
    };

    public void AddTo(System.CommandLine.Command command)
    {
        OneOf.Accept(_policy, ["first-responder", "designated", "consensus", "local-only"]);
        foreach (
            Option option in (Option[])
                [
                    _port,
                    _hostname,
                    _certificate,
                    _key,
                    _origins,
                    _open,
                    _sessions,
                    _connections,
                    _pending,
                    _readers,
                    _idle,
                    _writer,
                    _grace,
                    _permission,
                    _policy,
                    _quorum,
                    _rate,
                    _blocking,
                ]
        )
        {
            command.Options.Add(option);
        }
    }

    public DaemonOptions Options(ParseResult arguments, IReadOnlyList<string> privatePaths)
    {
        var rate = arguments.GetValue(_rate);
        return new DaemonOptions
        {
            Hostname = arguments.GetValue(_hostname)!,
            Port = arguments.GetValue(_port),
            MaxConnections = arguments.GetValue(_connections),
            AllowedOrigins = arguments.GetValue(_origins) ?? [],
            InsecureNoAuth = arguments.GetValue(_open),
            TlsCertificatePath = arguments.GetValue(_certificate),
            TlsKeyPath = arguments.GetValue(_key),
            Rates = new RateLimits
            {
                Prompt = rate,
                Mutation = rate * 5,
                Read = rate * 20,
            },
            PrivatePaths = privatePaths,
        };
    }

    public SessionOptions Sessions(ParseResult arguments, string model, ApprovalMode mode) =>
        new()
        {
            Model = model,
            ApprovalMode = mode,
            MaxSessions = arguments.GetValue(_sessions),
            MaxReadersPerSession = arguments.GetValue(_readers),
            MaxPendingPrompts = arguments.GetValue(_pending),
            IdleTimeout = TimeSpan.FromSeconds(arguments.GetValue(_idle)),
            WriterTimeout = TimeSpan.FromSeconds(arguments.GetValue(_writer)),
            ShutdownGrace = TimeSpan.FromSeconds(arguments.GetValue(_grace)),
            PermissionPolicy = Enum.Parse<VotePolicy>(
                arguments.GetValue(_policy)!.Replace("-", "", StringComparison.Ordinal),
                ignoreCase: true
            ),
            Quorum = arguments.GetValue(_quorum) is > 0 and var quorum ? quorum : null,
            BlockingPrompts = arguments.GetValue(_blocking),
        };

    public Core.Sessions.SessionRules Rules(ParseResult arguments) =>
        new(
            MostWaiting: arguments.GetValue(_pending),
            KeepsQuestions: true,
            PermissionTimeout: arguments.GetValue(_permission) is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null,
            KeepsGrantedModes: true
        );

    private static Option<int> Number(string name, string description, int value, int least = 0, int most = 1_000_000)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token]
                && (
                    !int.TryParse(token.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    || number < least
                    || number > most
                )
            )
            {
                result.AddError($"{name} takes a whole number from {least} to {most}; it was '{token.Value}'.");
            }
        });
        return option;
    }
}

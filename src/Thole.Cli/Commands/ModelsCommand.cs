using System.CommandLine;
using Thole.Cli.Configuration;
using Thole.Cli.Keys;
using Thole.Core.Models;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Providers.Listing;
using Thole.Providers.Probing;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole models</c>: which models there are, what is known of each, and what an endpoint really does.</summary>
/// <param name="house">Opened only by a verb that runs.</param>
/// <param name="output">Where answers go.</param>
/// <param name="error">Where refusals and remarks go.</param>
internal sealed class ModelsCommand(Func<Composition> house, Func<Settings> settings, TextWriter output, TextWriter error)
{
    private readonly Option<bool> _json = new("--json") { Description = "One JSON document instead of a table." };

    public Command Create()
    {
        var command = new Command("models", "Lists, shows and tests models.");
        command.Subcommands.Add(List());
        command.Subcommands.Add(Show());
        command.Subcommands.Add(Test());
        return command;
    }

    private Command List()
    {
        var provider = new Argument<string?>("provider")
        {
            Description = "Only the models of this provider.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var served = new Option<bool>("--served") { Description = "Asks the provider itself what it serves." };
        var local = new Option<bool>("--local") { Description = "Looks for servers on the usual ports of this machine." };
        var command = new Command("list", "Lists the models that are known, and whether there is a key for them.")
        {
            provider,
            _json,
            served,
            local,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var (name, asJson) = (parsed.GetValue(provider), parsed.GetValue(_json));
                    var directory = new ProviderDirectory(house().Providers);
                    if (parsed.GetValue(served))
                    {
                        var asked = name is null
                            ? throw new UsageException("--served needs a provider, as in: thole models list openai --served")
                            : Find(directory, name);
                        var models = await directory.ServedAsync(asked.Name, cancellationToken);
                        ModelListText.WriteServed(output, asked.Name, models, asJson);
                    }
                    else if (parsed.GetValue(local))
                    {
                        var servers = await directory.LocalAsync(cancellationToken);
                        ModelListText.WriteLocal(
                            output,
                            [.. servers.Where(server => name is null || server.Provider == name)],
                            asJson
                        );
                    }
                    else
                    {
                        IReadOnlyList<ListedProvider> providers = name is null ? directory.All() : [Find(directory, name)];
                        ModelListText.WriteProviders(output, providers, KeyWords(), asJson);
                    }
                })
        );
        return command;
    }

    private Command Show()
    {
        var model = Model();
        var command = new Command("show", "Shows all that is known of a model, and from where.") { model, _json };
        command.SetAction(
            (parsed, _) =>
                RunAsync(() =>
                {
                    var shown = new ProviderDirectory(house().Providers).Describe(parsed.GetValue(model) ?? settings().Model);
                    new ModelText(output, KeyWords()).Write(shown, parsed.GetValue(_json));
                    return Task.CompletedTask;
                })
        );
        return command;
    }

    private Command Test()
    {
        var model = Model();
        var keep = new Option<bool>("--keep") { Description = "Keeps what was found, for later requests; so it is anyway." };
        var noKeep = new Option<bool>("--no-keep") { Description = "Forgets what was found." };
        var command = new Command("test", "Finds out with a dozen small requests what an endpoint really does, and keeps it.")
        {
            model,
            _json,
            keep,
            noKeep,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    if (parsed.GetValue(keep) && parsed.GetValue(noKeep))
                    {
                        throw new UsageException("--keep and --no-keep exclude each other; pass one of them.");
                    }

                    await TestAsync(
                        parsed.GetValue(model) ?? settings().Model,
                        parsed.GetValue(_json),
                        !parsed.GetValue(noKeep),
                        cancellationToken
                    );
                })
        );
        return command;
    }

    private async Task TestAsync(string name, bool asJson, bool keeps, CancellationToken cancellationToken)
    {
        // Refused here, before anything is announced, where it cannot be asked.
        var endpoint = house().Providers.Find(name);
        var (input, most) = ModelTest.Tokens;
        var cost = endpoint.Price is { } price ? $", {ModelText.Dollars(price.AtMost(input, most))} at most" : "";
        await error.WriteLineAsync(
            TerminalText.EscapeLine(
                $"Testing {endpoint.Name}: at most {ModelTest.MostRequests} requests, about {ModelText.Number(input)} tokens in and up to {ModelText.Number(most)} out{cost}."
            )
        );
        var (place, profile) = await new ModelTest(house().Providers, house().Meters.Meter).RunAsync(
            name,
            row =>
            {
                if (!asJson)
                {
                    output.WriteLine(
                        $"{row.Name, -15}  {ModelText.WordsOf(row.Outcome), -13}  {TerminalText.EscapeLine(row.Detail)}"
                    );
                    output.Flush();
                }
            },
            cancellationToken
        );
        if (keeps)
        {
            await house().Profiles.WriteAsync(place, profile, cancellationToken);
        }

        if (asJson)
        {
            ModelText.WriteProfile(output, endpoint.Name, profile);
        }

        await error.WriteLineAsync(
            keeps
                ? $"Kept for later requests: {ModelText.ChoicesOf(profile)} ({TerminalText.EscapeLine(house().Profiles.PathOf(place))})"
                : $"Not kept: {ModelText.ChoicesOf(profile)}"
        );
    }

    private static ListedProvider Find(ProviderDirectory directory, string name) =>
        directory.Find(name)
        ?? throw new UsageException($"There is no provider '{name}'; 'thole models list' shows those there are.");

    private KeyWords KeyWords()
    {
        try
        {
            return new KeyWords(house().Keys.List());
        }
        catch (WorkspaceException unreadable)
        {
            error.WriteLine($"thole: {TerminalText.EscapeLine(unreadable.Message)}");
            return new KeyWords(new Dictionary<string, KeptKey>(StringComparer.Ordinal));
        }
    }

    private async Task<int> RunAsync(Func<Task> verb)
    {
        try
        {
            await verb();
            return ExitCodes.Done;
        }
        catch (ModelException failed)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(failed.Message)}");
            return failed.Failure is ModelFailure.Unauthorized ? ExitCodes.NoCredentials : ExitCodes.ProviderFailed;
        }
        catch (Exception failed) when (failed is WorkspaceException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(failed.Message)}");
            return ExitCodes.Failed;
        }
    }

    private static Argument<string?> Model() =>
        new("model")
        {
            Description = "provider/model; the one that is set where it is left out.",
            Arity = ArgumentArity.ZeroOrOne,
        };
}

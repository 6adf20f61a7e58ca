using System.CommandLine;
using System.Globalization;
using Thole.Cli.Keys;
using Thole.Core.Models;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Providers;
using Thole.Providers.Listing;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole auth</c>: asks for a key, checks it, and keeps it where others do not see it.</summary>
/// <param name="house">Opened only by a verb that runs.</param>
/// <param name="output">Where answers go.</param>
/// <param name="error">Where questions, refusals and remarks go.</param>
internal sealed class AuthCommand(Func<Composition> house, KeyPrompt prompt, TextWriter output, TextWriter error)
{
    private const int LongestKey = 4_096;

    public Command Create()
    {
        // More than one word is taken so that a key among them is refused without being repeated.
        var words = new Argument<string[]>("provider")
        {
            Description = "Whose key; asked where it is left out.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var noCheck = new Option<bool>("--no-check")
        {
            Description = "Keeps the key without asking the provider whether it is good.",
        };
        var file = new Option<bool>("--file") { Description = "Keeps it in a file, also where there is a keyring." };
        var command = new Command("auth", "Asks for a provider's key, checks it and keeps it.") { words, noCheck, file };
        command.Subcommands.Add(Status());
        command.Subcommands.Add(Remove());
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(() =>
                    AskAsync(
                        parsed.GetValue(words) ?? [],
                        !parsed.GetValue(noCheck),
                        mayUseKeyring: !parsed.GetValue(file),
                        cancellationToken
                    )
                )
        );
        return command;
    }

    private Command Status()
    {
        var json = new Option<bool>("--json") { Description = "One JSON document instead of a table." };
        var command = new Command("status", "Says for which providers there is a key, and where it is.") { json };
        command.SetAction(
            (parsed, _) =>
                RunAsync(() =>
                {
                    WriteStatus(parsed.GetValue(json));
                    return Task.CompletedTask;
                })
        );
        return command;
    }

    private Command Remove()
    {
        var provider = new Argument<string>("provider") { Description = "Whose key." };
        var command = new Command("remove", "Forgets a key that was kept.") { provider };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var name = parsed.GetRequiredValue(provider);
                    var place =
                        await house().Keys.RemoveAsync(name, cancellationToken)
                        ?? throw new UsageException(
                            "No key is kept under that name; 'thole auth status' shows where keys come from."
                        );
                    await output.WriteLineAsync(TerminalText.EscapeLine($"Removed the key for {name} from {place}."));
                })
        );
        return command;
    }

    private async Task AskAsync(string[] words, bool checks, bool mayUseKeyring, CancellationToken cancellationToken)
    {
        Refuse(words);
        var directory = new ProviderDirectory(house().Providers);
        var provider = words is [var named] ? Find(directory, named) : Choose(directory);
        if (provider.Problem is { } problem)
        {
            throw new UsageException(problem);
        }

        if (provider.Key.Place is KeyPlace.NotNeeded)
        {
            throw new UsageException(
                $"{provider.Name} is on this machine ({provider.Address}) and is asked without a kept key; where its server wants one, set {provider.Key.Variable}."
            );
        }

        var key = AskKey(provider);
        if (checks)
        {
            await CheckAsync(directory, provider, key, cancellationToken);
        }

        var place = await house().Keys.StoreAsync(provider.Name, key, mayUseKeyring, Remark, cancellationToken);
        await output.WriteLineAsync(TerminalText.EscapeLine($"The key for {provider.Name} is kept in {place}."));
        if (provider.Key.Place is KeyPlace.Variable or KeyPlace.Settings)
        {
            Remark(
                $"{(provider.Key.Place is KeyPlace.Variable ? provider.Key.Variable : $"providers.{provider.Name}.apiKey in your settings")}"
                    + " goes before it: take that away to use the one that is kept."
            );
        }
    }

    /// <summary>What is typed as an argument is seen by every user of the machine; it is not repeated here either.</summary>
    private static void Refuse(string[] words)
    {
        if (words is [['-', ..], ..] or [_, _, ..])
        {
            throw new UsageException(
                "thole auth takes the name of a provider and nothing else: a key in the arguments is seen by others, so run it and"
                    + " paste the key when it is asked for, or pipe it in."
            );
        }
    }

    private static ListedProvider Find(ProviderDirectory directory, string name) =>
        directory.Find(name)
        ?? throw new UsageException(
            $"That is not the name of a provider; there are {string.Join(", ", directory.All().Select(static known => known.Name))}."
        );

    private ListedProvider Choose(ProviderDirectory directory)
    {
        IReadOnlyList<ListedProvider> offered =
        [
            .. directory.All().Where(static known => known.Key.Place is not KeyPlace.NotNeeded && known.Problem is null),
        ];
        if (KeyPrompt.HasPerson)
        {
            var keys = new KeyWords(house().Keys.List());
            Table.Write(
                error,
                [
                    .. offered.Select(
                        (known, index) =>
                            (string[])
                                [
                                    (index + 1).ToString(CultureInfo.InvariantCulture).PadLeft(2),
                                    known.Name,
                                    known.Title,
                                    keys.SentenceOf(known.Key, known.KeyNames),
                                ]
                    ),
                ]
            );
        }

        var answer =
            prompt.Ask("Which provider (number or name)? ")?.Trim()
            ?? throw new UsageException("Nobody said which provider: name one, as in: thole auth openai");
        return
            int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= 1
            && number <= offered.Count
            ? offered[number - 1]
            : Find(directory, answer);
    }

    private string AskKey(ListedProvider provider)
    {
        if (KeyPrompt.HasPerson && provider.KeyPage is { } page)
        {
            error.WriteLine($"Keys of {provider.Title} are made at {page}");
        }

        var key = prompt.AskSecret($"Key for {TerminalText.EscapeLine(provider.Name)} (it is not shown): ")?.Trim();
        return key switch
        {
            null or "" => throw new UsageException(
                $"No key was given; run 'thole auth {provider.Name}' again, or pipe the key in as one line."
            ),
            { Length: > LongestKey } => throw new UsageException("That is longer than any key is; paste the key alone."),
            _ when key.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0 => throw new UsageException(
                "That holds spaces or letters that no key has; paste the key alone."
            ),
            _ => key,
        };
    }

    private async Task CheckAsync(
        ProviderDirectory directory,
        ListedProvider provider,
        string key,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (await directory.CheckKeyAsync(provider.Name, key, cancellationToken) is { } remark)
            {
                Remark(remark);
            }
        }
        catch (ModelException failed) when (failed.Failure is ModelFailure.Unauthorized)
        {
            throw new ModelException(failed.Failure, $"The key was not kept: {failed.Message}", failed);
        }
        catch (ModelException failed)
        {
            throw new ModelException(
                failed.Failure,
                $"The key could not be checked, so it was not kept (--no-check keeps it): {failed.Message}",
                failed
            );
        }
    }

    private void WriteStatus(bool asJson)
    {
        var kept = house().Keys.List();
        var keys = new KeyWords(kept);
        var providers = new ProviderDirectory(house().Providers).All();
        if (asJson)
        {
            ModelListText.WriteJson(
                output,
                json =>
                {
                    json.WriteStartArray();
                    foreach (var provider in providers)
                    {
                        json.WriteStartObject();
                        json.WriteString("provider", provider.Name);
                        json.WriteString("key", keys.WordOf(provider.Key, provider.KeyNames));
                        json.WriteString("keyVariable", provider.Key.Variable);
                        json.WriteBoolean("kept", kept.ContainsKey(provider.Name));
                        json.WriteEndObject();
                    }

                    json.WriteEndArray();
                }
            );
            return;
        }

        List<IReadOnlyList<string>> rows =
        [
            .. providers
                .Where(static provider => provider.Key.Place is not KeyPlace.NotNeeded)
                .Select(provider =>
                    (string[])[provider.Name, provider.Problem ?? keys.SentenceOf(provider.Key, provider.KeyNames)]
                ),
            .. kept
                .Keys.Where(name => providers.All(known => known.Name != name))
                .Select(static name => (string[])[name, "a key is kept, and there is no such provider any more"]),
        ];
        Table.Write(output, rows);
    }

    private void Remark(string sentence) => error.WriteLine($"thole: {TerminalText.EscapeLine(sentence)}");

    private async Task<int> RunAsync(Func<Task> verb)
    {
        try
        {
            await verb();
            return ExitCodes.Done;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted; // the person pressed Ctrl+C, and knows
        }
        catch (ModelException failed)
        {
            Remark(failed.Message);
            return failed.Failure is ModelFailure.Unauthorized ? ExitCodes.NoCredentials : ExitCodes.ProviderFailed;
        }
        catch (KeyringException failed)
        {
            Remark($"The key is kept in the system's keyring, which {failed.Message}; remove it there.");
            return ExitCodes.Failed;
        }
        catch (Exception failed) when (failed is WorkspaceException or IOException or UnauthorizedAccessException)
        {
            Remark(failed.Message);
            return ExitCodes.Failed;
        }
    }
}

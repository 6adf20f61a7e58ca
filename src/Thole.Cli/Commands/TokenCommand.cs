using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole token</c>: who may speak to a daemon besides its owner, and what they may ask.</summary>
/// <param name="file">Opened only by a verb that runs.</param>
/// <param name="output">Where answers go; of <c>issue</c> the token and nothing else.</param>
/// <param name="error">Where refusals and remarks go.</param>
internal sealed class TokenCommand(Func<TokenFile> file, TextWriter output, TextWriter error, TimeProvider time)
{
    public Command Create()
    {
        var command = new Command("token", "Issues, lists and revokes tokens for clients of a daemon.");
        command.Subcommands.Add(Issue());
        command.Subcommands.Add(List());
        command.Subcommands.Add(Revoke());
        return command;
    }

    private Command Issue()
    {
        var name = Name();
        var scope = new Option<string[]>("--scope")
        {
            Description = $"What it may: {string.Join(", ", ScopeWords.All)}; several with commas.",
            Required = true,
            AllowMultipleArgumentsPerToken = false,
        };
        scope.Validators.Add(result =>
        {
            if (
                Words(result.Tokens.Select(token => token.Value)).FirstOrDefault(word => ScopeWords.Parse(word) is Scope.None) is
                { } wrong
            )
            {
                result.AddError($"'{wrong}' is no scope; there are {string.Join(", ", ScopeWords.All)}.");
            }
        });
        var expires = new Option<string?>("--expires")
        {
            Description = "How long it is good: 90m, 12h, 30d; without it until it is revoked.",
        };
        expires.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Lifetime(token.Value) is null)
            {
                result.AddError($"'{token.Value}' is no time that a token can be good for; write it like 90m, 12h or 30d.");
            }
        });
        var command = new Command("issue", "Prints a new token, once: it is kept nowhere.") { name, scope, expires };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var scopes = Words(parsed.GetRequiredValue(scope))
                        .Aggregate(Scope.None, (scopes, word) => scopes | ScopeWords.Parse(word));
                    var lifetime = parsed.GetValue(expires) is { } text ? Lifetime(text) : null;
                    await output.WriteLineAsync(
                        await file().IssueAsync(parsed.GetRequiredValue(name), scopes, lifetime, cancellationToken)
                    );
                })
        );
        return command;
    }

    private Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON document instead of a table." };
        var command = new Command("list", "Lists the tokens that were issued, without the tokens themselves.") { json };
        command.SetAction(
            (parsed, _) =>
                RunAsync(async () =>
                {
                    var tokens = file().List();
                    if (parsed.GetValue(json))
                    {
                        await output.WriteLineAsync(Json(tokens));
                        return;
                    }

                    foreach (var token in tokens)
                    {
                        await output.WriteLineAsync(Line(token));
                    }

                    if (tokens is [])
                    {
                        await error.WriteLineAsync("No tokens were issued; 'thole token issue NAME --scope observe' issues one.");
                    }
                })
        );
        return command;
    }

    private Command Revoke()
    {
        var name = Name();
        var command = new Command("revoke", "Ends a token; a running daemon knows within a second.") { name };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var which = parsed.GetRequiredValue(name);
                    await file().RevokeAsync(which, cancellationToken);
                    await output.WriteLineAsync($"Revoked the token {TerminalText.EscapeLine(which)}.");
                })
        );
        return command;
    }

    private async Task<int> RunAsync(Func<Task> verb)
    {
        try
        {
            await verb();
            return ExitCodes.Done;
        }
        catch (RefusedException refused)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(refused.Message)}");
            return ExitCodes.BadUsage;
        }
        catch (Exception failed) when (failed is WorkspaceException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(failed.Message)}");
            return ExitCodes.Failed;
        }
    }

    private string Line(IssuedToken token)
    {
        var end =
            token.ExpiresAt is not { } at ? "until revoked"
            : token.IsExpired(time.GetUtcNow()) ? $"expired {Day(at)}"
            : $"until {Day(at)}";
        return $"{TerminalText.EscapeLine(token.Name), -20}  issued {Day(token.CreatedAt)}  {end, -22}  {TerminalText.EscapeLine(string.Join(',', token.Scopes))}";
    }

    private static string Day(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Json(IReadOnlyList<IssuedToken> tokens)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartArray();
            foreach (var token in tokens)
            {
                writer.WriteStartObject();
                writer.WriteString("name", token.Name);
                writer.WriteStartArray("scopes");
                foreach (var scope in token.Scopes)
                {
                    writer.WriteStringValue(scope);
                }

                writer.WriteEndArray();
                writer.WriteString("createdAt", token.CreatedAt);
                if (token.ExpiresAt is { } at)
                {
                    writer.WriteString("expiresAt", at);
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Null for what is no time, nothing at all, or longer than a hundred years.</summary>
    private static TimeSpan? Lifetime(string text)
    {
        double? seconds =
            text is [.., var unit] && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, null, out var count)
                ? count
                    * unit switch
                    {
                        'm' => 60.0,
                        'h' => 3600,
                        'd' => 86_400,
                        _ => 0,
                    }
                : null;
        return seconds is > 0 and <= 100 * 366 * 86_400.0 ? TimeSpan.FromSeconds(seconds.Value) : null;
    }

    private static IEnumerable<string> Words(IEnumerable<string> texts) =>
        texts.SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static Argument<string> Name() => new("name") { Description = "Who has it; events say this name." };
}

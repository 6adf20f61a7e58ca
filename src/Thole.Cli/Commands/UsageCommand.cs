using System.CommandLine;
using System.Globalization;
using Thole.Cli.Configuration;
using Thole.Core.Budgets;
using Thole.Core.Log;
using Thole.Protocol;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole usage</c>: what the models have used, for what, and how much of today's budgets is left.</summary>
/// <param name="ledger">Asked, like the others, only by a verb that runs.</param>
/// <param name="catalog">Knows what sessions are called.</param>
/// <param name="caps">The budgets that hold.</param>
/// <param name="output">Where answers go.</param>
/// <param name="error">Where remarks and refusals go.</param>
internal sealed class UsageCommand(
    Func<Ledger> ledger,
    Func<ICatalog> catalog,
    Func<IReadOnlyList<Cap>> caps,
    TextWriter output,
    TextWriter error,
    TimeProvider time
)
{
    // A date before the first of all is a typing error, and so is one of centuries of days.
    private const int MostDays = 36_500;

    public Command Create()
    {
        var by = new Option<string>("--by") { Description = "model, session or day.", DefaultValueFactory = _ => "model" };
        OneOf.Accept(by, ["model", "session", "day"]);
        var since = new Option<string?>("--since")
        {
            Description =
                "The first day that counts: 7d for the last seven days, today among them, or a date such as 2026-01-31.",
        };
        since.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Day(token.Value) is null)
            {
                result.AddError($"'{token.Value}' is no day; write it like 7d or 2026-01-31.");
            }
        });
        var json = new Option<bool>("--json") { Description = "One JSON document instead of a table." };
        var command = new Command("usage", "Shows what models have used, for what, and what is left of today's budgets.")
        {
            by,
            since,
            json,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(
                    Enum.Parse<UsageBy>(parsed.GetRequiredValue(by), ignoreCase: true),
                    parsed.GetValue(since) is { } text ? Day(text) : null,
                    parsed.GetValue(json),
                    cancellationToken
                )
        );
        return command;
    }

    private async Task<int> RunAsync(UsageBy by, DateOnly? since, bool asJson, CancellationToken cancellationToken)
    {
        try
        {
            var report = ledger().Report(by, since, caps());
            var names = by is UsageBy.Session ? await NamesAsync(report, cancellationToken) : [];
            if (asJson)
            {
                await output.WriteLineAsync(UsageText.Json(report, by, names));
                return ExitCodes.Done;
            }

            foreach (var line in UsageText.Lines(report, by, names))
            {
                await output.WriteLineAsync(line);
            }

            if (report.Rows is [])
            {
                await error.WriteLineAsync("Nothing was used yet.");
            }

            return ExitCodes.Done;
        }
        catch (Exception failed) when (failed is LogException or RefusedException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(failed.Message)}");
            return ExitCodes.Failed;
        }
    }

    /// <summary>What the sessions are called by now; one that was deleted has no name any more.</summary>
    private async Task<Dictionary<string, string>> NamesAsync(LedgerReport report, CancellationToken cancellationToken)
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        foreach (var id in report.Rows.Select(static row => row.Key).OfType<string>())
        {
            if (await catalog().FindAsync(id, cancellationToken) is { Title: { } title } session && session.Id.Value == id)
            {
                names[id] = title;
            }
        }

        return names;
    }

    private DateOnly? Day(string text)
    {
        var today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        return text is [.. var digits, 'd']
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var days)
            && days is > 0 and <= MostDays
                ? today.AddDays(1 - days)
            : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
            : null;
    }
}

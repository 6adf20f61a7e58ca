using System.Globalization;
using System.Text;
using System.Text.Json;
using Thole.Core.Budgets;
using Thole.Protocol;

namespace Thole.Cli.Commands;

/// <summary>What was used, as a table for people or as JSON.</summary>
internal static class UsageText
{
    private static readonly string[] s_headings = ["requests", "input", "cached", "output", "dollars"];

    /// <param name="names">What sessions are called, by their id.</param>
    public static IEnumerable<string> Lines(LedgerReport report, UsageBy by, IReadOnlyDictionary<string, string> names)
    {
        if (report.Rows is not [])
        {
            string[][] table =
            [
                [by.ToString().ToLowerInvariant(), .. s_headings],
                .. report.Rows.Select(row => Cells(row, Label(row, by, names))),
                Cells(Total(report), "total"),
            ];
            var widths = table[0].Index().Select(cell => table.Max(cells => cells[cell.Index].Length)).ToArray();
            foreach (var cells in table)
            {
                var columns = cells
                    .Index()
                    .Select(cell => cell.Index == 0 ? cell.Item.PadRight(widths[0]) : cell.Item.PadLeft(widths[cell.Index]));
                yield return string.Join("  ", columns).TrimEnd();
            }
        }

        foreach (var remark in Remarks(report))
        {
            yield return remark;
        }
    }

    public static string Json(LedgerReport report, UsageBy by, IReadOnlyDictionary<string, string> names)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("usage");
            foreach (var row in report.Rows)
            {
                json.WriteStartObject();
                json.WriteString(by.ToString().ToLowerInvariant(), row.Key);
                if (row.Key is { } key && names.TryGetValue(key, out var name))
                {
                    json.WriteString("name", name);
                }

                WriteRow(json, row);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("total");
            WriteRow(json, Total(report));
            json.WriteEndObject();
            json.WriteStartArray("today");
            foreach (var balance in report.Today)
            {
                json.WriteStartObject();
                json.WriteString("unit", balance.Cap.Unit.ToString().ToLowerInvariant());
                json.WriteNumber("budget", balance.Cap.Most);
                json.WriteNumber("used", balance.Used);
                json.WriteNumber("reserved", balance.Reserved);
                json.WriteNumber("left", balance.Left);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("losses");
            foreach (var loss in report.Losses)
            {
                json.WriteStartObject();
                json.WriteString("at", loss.At);
                json.WriteNumber("kept", loss.Kept);
                json.WriteString("aside", loss.Aside);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static IEnumerable<string> Remarks(LedgerReport report)
    {
        var total = Total(report);
        if (total.Estimated > 0)
        {
            yield return $"~ {Count(total.Estimated)} of the requests were not counted by their provider, and are estimated.";
        }

        if (total.Unpriced > 0)
        {
            yield return $"? {Count(total.Unpriced)} of the requests went to models without a price; set providers.NAME.models.MODEL.price.";
        }

        foreach (var balance in report.Today)
        {
            var reserved = balance.Reserved > 0 ? $", of which {Show(balance, balance.Reserved)} is reserved" : "";
            yield return $"today: {Show(balance, balance.Used)} of {Show(balance, balance.Cap.Most)}{reserved}; {Show(balance, balance.Left)} left";
        }

        foreach (var loss in report.Losses)
        {
            var at = loss.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            yield return TerminalText.EscapeLine(
                $"{at}: the ledger was damaged; {Count(loss.Kept)} rows were kept, the rest may lie in {loss.Aside}."
            );
        }
    }

    private static string Show(BudgetBalance balance, decimal amount) => Shortage.Show(balance.Cap.Unit, amount);

    private static UsageRow Total(LedgerReport report) =>
        report.Rows.Aggregate(
            new UsageRow("total", 0, 0, 0, 0, 0, 0, 0),
            static (sum, row) =>
                new UsageRow(
                    "total",
                    sum.Requests + row.Requests,
                    sum.Input + row.Input,
                    sum.Cached + row.Cached,
                    sum.Output + row.Output,
                    sum.Dollars + row.Dollars,
                    sum.Estimated + row.Estimated,
                    sum.Unpriced + row.Unpriced
                )
        );

    private static void WriteRow(Utf8JsonWriter json, UsageRow row)
    {
        json.WriteNumber("requests", row.Requests);
        json.WriteNumber("inputTokens", row.Input);
        json.WriteNumber("cachedTokens", row.Cached);
        json.WriteNumber("outputTokens", row.Output);
        json.WriteNumber("dollars", row.Dollars);
        json.WriteNumber("estimatedRequests", row.Estimated);
        json.WriteNumber("unpricedRequests", row.Unpriced);
    }

    private static string Label(UsageRow row, UsageBy by, IReadOnlyDictionary<string, string> names) =>
        TerminalText.EscapeLine(
            row.Key is not { } key ? $"(no {by.ToString().ToLowerInvariant()})"
            : names.TryGetValue(key, out var name) ? $"{key}  {name}"
            : key
        );

    private static string[] Cells(UsageRow row, string label)
    {
        var mark = $"{(row.Estimated > 0 ? "~" : "")}{(row.Unpriced > 0 ? "?" : "")}";
        return
        [
            label,
            Count(row.Requests),
            Count(row.Input),
            Count(row.Cached),
            Count(row.Output),
            row.Unpriced > 0 && row.Unpriced == row.Requests ? "?" : mark + Shortage.Show(BudgetUnit.Dollars, row.Dollars),
        ];
    }

    private static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}

using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Documents;

/// <summary>A Jupyter notebook as a person reads it: cells with their source and the text of their outputs.</summary>
internal static class NotebookText
{
    private const int MaxCharacters = 25_000;
    private const int MaxOutputCharacters = 2_000;

    public static string Render(string json, WorkspacePath path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (
                document.RootElement.ValueKind is not JsonValueKind.Object
                || !document.RootElement.TryGetProperty("cells", out var cells)
                || cells.ValueKind is not JsonValueKind.Array
            )
            {
                throw new JsonException("there is no list of cells");
            }

            return Render(cells);
        }
        catch (Exception invalid) when (invalid is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is no valid UTF-16, found when it is read.
            throw new WorkspaceException(
                ToolErrors.NotebookInvalid,
                $"{path} is no valid notebook ({invalid.Message}): read its raw lines with offset and limit.",
                invalid
            );
        }
    }

    private static string Render(JsonElement cells)
    {
        var text = new StringBuilder(
            $"Notebook with {cells.GetArrayLength()} cells. Read it with offset and limit to see its raw lines.\n"
        );
        var number = 0;
        foreach (var cell in cells.EnumerateArray())
        {
            var rendered = RenderCell(cell, ++number);
            if (text.Length + rendered.Length > MaxCharacters)
            {
                var room = Math.Max(0, MaxCharacters - text.Length);
                text.Append(rendered.AsSpan(0, Math.Min(room, rendered.Length)));
                return text.Append(
                        $"\n… [cut in cell {number} of {cells.GetArrayLength()}: read the raw lines with offset and limit]"
                    )
                    .ToString();
            }

            text.Append(rendered);
        }

        return text.ToString();
    }

    private static string RenderCell(JsonElement cell, int number)
    {
        var text = new StringBuilder($"\n## Cell {number} ({Word(cell, "cell_type") ?? "unknown"})\n");
        text.Append(Joined(cell, "source")).Append('\n');
        if (
            cell.ValueKind is JsonValueKind.Object
            && cell.TryGetProperty("outputs", out var outputs)
            && outputs.ValueKind is JsonValueKind.Array
        )
        {
            foreach (var output in outputs.EnumerateArray())
            {
                var shown = RenderOutput(output);
                if (shown.Length > 0)
                {
                    text.Append("### Output\n").Append(shown).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    private static string RenderOutput(JsonElement output)
    {
        if (output.ValueKind is not JsonValueKind.Object)
        {
            return "";
        }

        var text = Joined(output, "text");
        if (text.Length == 0 && Word(output, "ename") is { } name)
        {
            text = $"{name}: {Word(output, "evalue")}";
        }

        if (text.Length == 0 && output.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Object)
        {
            text = Joined(data, "text/plain");
            var other = string.Join(
                ", ",
                data.EnumerateObject().Select(part => part.Name).Where(type => type is not "text/plain").Take(8)
            );
            text += other.Length == 0 ? "" : $"{(text.Length == 0 ? "" : "\n")}[also: {other}]";
        }

        return text.Length <= MaxOutputCharacters
            ? text
            : $"{text.AsSpan(0, MaxOutputCharacters)}… [output cut: {text.Length} characters]";
    }

    private static string? Word(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object
        && element.TryGetProperty(name, out var word)
        && word.ValueKind is JsonValueKind.String
            ? word.GetString()
            : null;

    // The format keeps a text as one string or as a list of lines, each with its newline.
    private static string Joined(JsonElement element, string name) =>
        element.ValueKind is not JsonValueKind.Object || !element.TryGetProperty(name, out var text) ? ""
        : text.ValueKind is JsonValueKind.String ? text.GetString()!
        : text.ValueKind is JsonValueKind.Array
            ? string.Concat(
                text.EnumerateArray().Where(line => line.ValueKind is JsonValueKind.String).Select(line => line.GetString())
            )
        : "";
}

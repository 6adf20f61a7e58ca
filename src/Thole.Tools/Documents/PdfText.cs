using System.Globalization;
using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Documents;

/// <summary>The text of the pages of a PDF, in the order in which the pages paint it.</summary>
internal static class PdfText
{
    public const int MaxPages = 20;
    private const int MaxCharacters = 25_000;
    private const int MaxPageNodes = 100_000;

    public static bool IsPdf(ReadOnlySpan<byte> bytes) =>
        bytes[..Math.Min(bytes.Length, 1024)].IndexOf("%PDF-"u8) >= 0 && !bytes.IsEmpty;

    /// <param name="pages">"3" or "1-5"; null for the first ones.</param>
    public static string Render(byte[] bytes, string? pages, WorkspacePath path, CancellationToken cancellationToken)
    {
        var file = new PdfFile(bytes, cancellationToken);
        if (file.Trailer.ContainsKey("Encrypt"))
        {
            throw new WorkspaceException(
                ToolErrors.ReadFailed,
                $"{path} is encrypted: decrypt it with a command and read the copy."
            );
        }

        var all = PagesOf(file);
        if (all.Count == 0)
        {
            throw new WorkspaceException(
                ToolErrors.ReadFailed,
                $"{path} is a damaged PDF without a page: repair it with a command."
            );
        }

        var (first, last) = Range(pages, all.Count);
        var text = new StringBuilder(
            $"PDF with {all.Count} pages, showing {(first == last ? $"page {first}" : $"pages {first}-{last}")}.\n"
        );
        for (var number = first; number <= last; number++)
        {
            var page = new PdfPageText(file, MaxCharacters - text.Length, cancellationToken).Read(all[number - 1]).Trim();
            text.Append($"\n--- Page {number} ---\n{(page.Length == 0 ? "[No text: the page may be a scan.]" : page)}\n");
            if (text.Length >= MaxCharacters)
            {
                text.Append(
                    $"\n… [cut in page {number}: read {(number < last ? "later pages with pages" : "it with a command")}]"
                );
                break;
            }
        }

        return text.ToString();
    }

    private static (int First, int Last) Range(string? pages, int count)
    {
        if (string.IsNullOrWhiteSpace(pages))
        {
            return (1, Math.Min(count, MaxPages));
        }

        var parts = pages.Split('-', StringSplitOptions.TrimEntries);
        if (
            parts.Length > 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            || first < 1
            || last < first
            || last - first >= MaxPages
        )
        {
            throw new WorkspaceException(
                ToolErrors.InvalidArguments,
                $"pages is \"{pages}\": give one page or a range of at most {MaxPages}, as 3 or 1-5."
            );
        }

        return first > count
            ? throw new WorkspaceException(
                ToolErrors.InvalidArguments,
                $"The PDF has {count} pages: pages \"{pages}\" begins after them."
            )
            : (first, Math.Min(last, count));
    }

    private static List<Dictionary<string, object?>> PagesOf(PdfFile file)
    {
        var pages = new List<Dictionary<string, object?>>();
        var root = file.Get(file.Dictionary(file.Trailer.GetValueOrDefault("Root")), "Pages") as Dictionary<string, object?>;
        if (root is not null)
        {
            Walk(root);
        }

        if (pages.Count == 0)
        {
            // The tree is damaged: the pages themselves may not be.
            pages.AddRange(
                file.Numbers.Order()
                    .Select(number => file.Dictionary(new PdfReference(number)))
                    .OfType<Dictionary<string, object?>>()
                    .Where(IsPage)
            );
        }

        return pages;

        void Walk(Dictionary<string, object?> top)
        {
            // A tree of strangers may be a circle: each node once, by its number.
            var (seen, waiting) = (new HashSet<int>(), new Stack<(object? Node, object? Resources)>());
            waiting.Push((top, null));
            while (waiting.TryPop(out var next) && pages.Count < MaxPageNodes)
            {
                if (
                    next.Node is PdfReference reference && !seen.Add(reference.Number)
                    || file.Dictionary(next.Node) is not { } node
                )
                {
                    continue;
                }

                var resources = node.GetValueOrDefault("Resources") ?? next.Resources;
                if (file.Get(node, "Kids") is List<object?> kids)
                {
                    foreach (var kid in Enumerable.Reverse(kids).Where(kid => kid is PdfReference))
                    {
                        waiting.Push((kid, resources));
                    }
                }
                else
                {
                    pages.Add(new Dictionary<string, object?>(node, StringComparer.Ordinal) { ["Resources"] = resources });
                }
            }
        }

        static bool IsPage(Dictionary<string, object?> entries) => entries.GetValueOrDefault("Type") is PdfName { Value: "Page" };
    }
}

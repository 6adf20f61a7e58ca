using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Web;

/// <summary>What a page says, as text that a model can read.</summary>
internal static class PageText
{
    private const int Sniffed = 1024;

    /// <param name="format"><c>auto</c>, <c>markdown</c>, <c>text</c> or <c>html</c>.</param>
    public static string Read(Page page, string format)
    {
        var type = page.ContentType?.MediaType?.ToLowerInvariant() ?? Sniff(page.Body);
        if (type.StartsWith("image/", StringComparison.Ordinal))
        {
            throw Refused(
                page,
                $"is an image ({TerminalText.EscapeLine(type)}), which is not fetched: download it with a command and use read_file"
            );
        }

        if (!IsText(type) || page.Body.AsSpan(0, Math.Min(page.Body.Length, 8192)).Contains((byte)0) && !IsWide(page))
        {
            throw Refused(page, $"is no text ({TerminalText.EscapeLine(type)}): download it with a command");
        }

        var isHtml = type is "text/html" or "application/xhtml+xml";
        var text = Decode(page, isHtml);
        return isHtml && format is not "html"
            ? new HtmlReader(text, page.Address, isMarkdown: format is not "text").Read()
            : text;
    }

    private static WorkspaceException Refused(Page page, string what) =>
        new(ToolErrors.FetchRefused, $"{PageAddress.Shown(page.Address.AbsoluteUri)} {what}.");

    private static bool IsText(string type) =>
        type.StartsWith("text/", StringComparison.Ordinal)
        || type.EndsWith("+json", StringComparison.Ordinal)
        || type.EndsWith("+xml", StringComparison.Ordinal)
        || type.EndsWith("+yaml", StringComparison.Ordinal)
        || type
            is "application/json"
                or "application/xml"
                or "application/javascript"
                or "application/ecmascript"
                or "application/x-javascript"
                or "application/yaml"
                or "application/x-yaml"
                or "application/toml"
                or "application/sql"
                or "application/graphql"
                or "application/x-ndjson"
                or "application/x-sh";

    private static string Sniff(byte[] body)
    {
        var start = Encoding.Latin1.GetString(body, 0, Math.Min(body.Length, Sniffed)).AsSpan().TrimStart();
        return
            start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            ? "text/html"
            : "text/plain";
    }

    private static bool IsWide(Page page) =>
        page.Body is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]
        || Charset(page)?.StartsWith("utf-16", StringComparison.OrdinalIgnoreCase) == true;

    private static string? Charset(Page page) => page.ContentType?.CharSet?.Trim('"', '\'', ' ');

    private static string Decode(Page page, bool isHtml)
    {
        var encoding = Known(Charset(page)) ?? (isHtml ? Known(Declared(page.Body)) : null) ?? Encoding.UTF8;

        // A byte order mark wins over every declaration, as in browsers.
        using var reader = new StreamReader(new MemoryStream(page.Body), encoding, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    private static string? Declared(byte[] body)
    {
        var head = Encoding.Latin1.GetString(body, 0, Math.Min(body.Length, Sniffed));
        var at = head.IndexOf("charset=", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return null;
        }

        var name = head.AsSpan(at + 8).TrimStart("\"' ");
        var end = 0;
        while (end < name.Length && (char.IsAsciiLetterOrDigit(name[end]) || name[end] is '-' or '_'))
        {
            end++;
        }

        return name[..end].ToString();
    }

    private static Encoding? Known(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (Exception unknown) when (unknown is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}

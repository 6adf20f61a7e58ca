using System.Security.Cryptography;
using System.Text;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>
/// Puts text that others wrote into a page so that it stays text. It stands between tags and never in an attribute; what would hide,
/// reorder or command is spelled out first, as for a terminal.
/// </summary>
internal static class Html
{
    /// <summary>The one style of the page: the policy names it by its hash, so that no other applies.</summary>
    private const string Style = """
        :root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--dim:#57606a;--box:#f3f5f7;--line:#d0d7de;--mark:#0a58ca;--add:#116329;--del:#a40e26}
        @media(prefers-color-scheme:dark){:root{--back:#11151a;--text:#e3e8ee;--dim:#9aa5b1;--box:#1b2129;--line:#39424d;--mark:#7ab4ff;--add:#6fdd8b;--del:#ff8f8f}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1.5rem;max-width:60rem;background:var(--back);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
        h1{font-size:1.5rem;overflow-wrap:anywhere}
        h2{margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:1.2rem}
        h3{margin:1.5rem 0 .5rem;font-size:1rem;overflow-wrap:anywhere}
        p{margin:.75rem 0}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;color:var(--dim)}
        dd{margin:0;overflow-wrap:anywhere}
        pre,code{font-family:ui-monospace,monospace;unicode-bidi:isolate}
        code{overflow-wrap:anywhere}
        pre{margin:.5rem 0;padding:.75rem;border:1px solid var(--line);border-radius:.4rem;background:var(--box);font-size:.875rem;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
        .said{margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
        .asked{padding:.25rem .75rem;border-left:.25rem solid var(--mark)}
        .note{color:var(--dim);font-style:italic;overflow-wrap:anywhere}
        .end{font-weight:600}
        .add{color:var(--add)}
        .del{color:var(--del)}
        summary{color:var(--dim);cursor:pointer}
        ul{padding-left:1.5rem}
        @media print{body{max-width:none}}
        """;

    /// <summary>Nothing is fetched, nothing runs, nothing is sent: also where an escape of ours should be wrong.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(StyleText)))}'; base-uri 'none'; form-action 'none'";

    private static string StyleText => Style.ReplaceLineEndings("\n");

    public static string Head(string title) =>
        $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>{Line(title)}</title>
            <style>{StyleText}</style>
            </head>
            <body>

            """.ReplaceLineEndings("\n");

    /// <summary>Text of many lines.</summary>
    public static string Text(string text) => Encode(TerminalText.Escape(text));

    /// <summary>Text that stays one line.</summary>
    public static string Line(string text) => Encode(TerminalText.EscapeLine(text));

    public static string Code(string text) => $"<code>{Line(text)}</code>";

    // A line feed right behind the tag would be dropped; one of ours is.
    public static string Block(string text) => $"<pre>\n{Text(text).TrimEnd('\n')}</pre>\n";

    /// <summary>A unified diff; what is new and what is gone differ in colour as well as in their first character.</summary>
    public static string Diff(string diff)
    {
        var lines = new StringBuilder("<pre>\n");
        foreach (var line in TerminalText.Escape(diff).TrimEnd('\n').Split('\n'))
        {
            var kind =
                line.StartsWith('+') ? "add"
                : line.StartsWith('-') ? "del"
                : null;
            lines.Append(kind is null ? $"{Encode(line)}\n" : $"<span class=\"{kind}\">{Encode(line)}</span>\n");
        }

        return lines.Append("</pre>\n").ToString();
    }

    public static string Folded(string title, string text) =>
        text.Length == 0 ? "" : $"<details><summary>{title}</summary>\n{Block(text)}</details>\n";

    private static string Encode(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("\"", "&quot;", StringComparison.Ordinal)
            .Replace("'", "&#39;", StringComparison.Ordinal);
}

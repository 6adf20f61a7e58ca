using System.Text;
using Thole.Protocol;

namespace Thole.Core.Context.Sources;

/// <summary>
/// Puts the text of <c>@path</c> imports in their place. Bounded: so many characters for all files together, so many levels deep, no
/// file inside itself; what is inside code is left alone, what lies outside of the file's territory is told and not read.
/// </summary>
internal sealed class InstructionImports
{
    /// <summary>All that one collection adds, in characters.</summary>
    private const int MaxTotal = 100_000;

    private const int MaxDepth = 5;

    private readonly List<string> _refused = [];
    private readonly List<InstructionFile> _imported = [];
    private int _left = MaxTotal;
    private bool _isCut;

    /// <summary>The files of which the text that was expanded last holds something.</summary>
    public IReadOnlyList<InstructionFile> Imported => _imported;

    /// <returns>The text, with one line at its end for each thing that was not done.</returns>
    public async Task<string> ExpandAsync(InstructionFile file, string text, CancellationToken cancellationToken)
    {
        _refused.Clear();
        _imported.Clear();
        _isCut = false;
        var expanded = new StringBuilder();
        await ExpandAsync(expanded, file, text, [file.Source], cancellationToken);
        if (_refused is not [])
        {
            expanded
                .Append("\n[not imported, because they lie outside of the workspace: ")
                .AppendJoin(", ", _refused.Take(10))
                .Append(']');
        }

        if (_isCut)
        {
            expanded.Append($"\n[cut here: instruction files are read up to {MaxTotal} characters in all; shorten them]");
        }

        return expanded.ToString();
    }

    private async Task ExpandAsync(
        StringBuilder expanded,
        InstructionFile file,
        string text,
        List<string> chain,
        CancellationToken cancellationToken
    )
    {
        var copied = 0;
        foreach (var (start, path) in ImportMarks.In(text))
        {
            if (_left == 0)
            {
                break;
            }

            if (file.Import(path) is not { } imported)
            {
                _refused.Add(TerminalText.EscapeLine(path.Length > 100 ? path[..100] + "…" : path));
                continue;
            }

            if (
                chain.Count > MaxDepth
                || chain.Contains(imported.Source, StringComparer.Ordinal)
                || await imported.ReadAsync(cancellationToken) is not { } content
            )
            {
                continue;
            }

            _imported.Add(imported);
            Append(expanded, text.AsSpan(copied, start - copied));
            copied = start + 1 + path.Length;
            Append(expanded, $"\n<!-- from {imported.Source} -->\n");
            await ExpandAsync(expanded, imported, content, [.. chain, imported.Source], cancellationToken);
            Append(expanded, $"\n<!-- end of {imported.Source} -->\n");
        }

        Append(expanded, text.AsSpan(copied));
    }

    private void Append(StringBuilder expanded, ReadOnlySpan<char> text)
    {
        _isCut |= text.Length > _left;
        var kept = Math.Min(text.Length, _left);
        if (kept > 0 && kept < text.Length && char.IsHighSurrogate(text[kept - 1]))
        {
            kept--;
        }

        expanded.Append(text[..kept]);
        _left = kept < text.Length ? 0 : _left - kept;
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Patching;

/// <summary>Reads a unified diff as <c>git apply</c> does: text around the patches is passed over, what is inside must be right.</summary>
internal sealed partial class PatchReader
{
    private readonly List<string> _lines;
    private int _at;

    private PatchReader(string patch) =>
        // A last line without a newline is a slip of the writer; git would take it for a line that has none.
        _lines = LineSpans.Split(patch.EndsWith('\n') ? patch : patch + "\n");

    public static IReadOnlyList<FilePatch> Read(string patch)
    {
        var files = new PatchReader(patch).ReadFiles();
        return files.Count > 0 ? files
            : patch.Contains("*** Begin Patch", StringComparison.Ordinal)
                ? throw Rejected(
                    "This is not a unified diff: send one with --- and +++ lines and @@ -1,3 +1,4 @@ headers, as git diff prints it."
                )
            : throw Rejected(
                "There is no patch in it: send a unified diff with --- and +++ lines and @@ headers, as git diff prints it."
            );
    }

    public static WorkspaceException Rejected(string reason) => new(ToolErrors.PatchRejected, reason);

    private List<FilePatch> ReadFiles()
    {
        var files = new List<FilePatch>();
        while (_at < _lines.Count)
        {
            if (Current.StartsWith("diff --git ", StringComparison.Ordinal))
            {
                files.Add(ReadGitPatch());
            }
            else if (
                Current.StartsWith("--- ", StringComparison.Ordinal)
                && Peek(1).StartsWith("+++ ", StringComparison.Ordinal)
                && Peek(2).StartsWith("@@ -", StringComparison.Ordinal)
            )
            {
                files.Add(ReadPlainPatch());
            }
            else if (HunkHeader.IsMatch(Current))
            {
                throw Rejected(
                    $"Line {_at + 1} of the patch begins a hunk that belongs to no file: put its --- and +++ lines before it."
                );
            }
            else
            {
                _at++;
            }
        }

        return files;
    }

    private string Current => _lines[_at];

    private string Peek(int ahead) => _at + ahead < _lines.Count ? _lines[_at + ahead] : "";

    private FilePatch ReadPlainPatch()
    {
        var (oldName, newName) = StripPrefixes(Name(Current[4..]), Name(Peek(1)[4..]));
        _at += 2;
        if (oldName is null && newName is null)
        {
            throw Rejected($"Line {_at} of the patch names no file: one of --- and +++ must be a path.");
        }

        // git: where the two names differ and nothing says rename, the second is the file (diff file.orig file).
        var hunks = ReadHunks();
        var oldPath = oldName is null ? null : newName ?? oldName;
        Check(oldPath is null, newName is null, hunks, newName ?? oldName!);
        var mayCreate = oldPath is not null && newName is not null && hunks is [var only] && !only.Old.Any();
        return new FilePatch(oldPath, newName, IsCopy: false, NewMode: null, hunks) { MayCreate = mayCreate };
    }

    private FilePatch ReadGitPatch()
    {
        var begin = _at;
        var defaultName = NameOfHeader(Current["diff --git ".Length..].TrimEnd('\r', '\n'));
        var (isNew, isDeleted, isCopy) = (false, false, false);
        string? newMode = null;
        (string? Old, string? New, bool Said) names = default;
        (string? From, string? To) moved = default;
        for (_at++; _at < _lines.Count; _at++)
        {
            var line = Current.TrimEnd('\r', '\n');
            if (line.StartsWith("--- ", StringComparison.Ordinal) && Peek(1).StartsWith("+++ ", StringComparison.Ordinal))
            {
                var (oldName, newName) = StripPrefixes(Name(line[4..]), Name(Peek(1)[4..]));
                names = (oldName, newName, true);
                _at += 2;
                break;
            }

            if (After(line, "new file mode ") is { } created)
            {
                (isNew, newMode) = (true, created);
            }
            else if (After(line, "deleted file mode ") is not null)
            {
                isDeleted = true;
            }
            else if (After(line, "new mode ") is { } mode)
            {
                newMode = mode;
            }
            else if ((After(line, "rename from ") ?? After(line, "rename old ")) is { } from)
            {
                moved.From = Name(from);
            }
            else if ((After(line, "rename to ") ?? After(line, "rename new ")) is { } to)
            {
                moved.To = Name(to);
            }
            else if (After(line, "copy from ") is { } source)
            {
                (moved.From, isCopy) = (Name(source), true);
            }
            else if (After(line, "copy to ") is { } target)
            {
                (moved.To, isCopy) = (Name(target), true);
            }
            else if (
                line.StartsWith("GIT binary patch", StringComparison.Ordinal)
                || line.StartsWith("Binary files ", StringComparison.Ordinal)
            )
            {
                throw Rejected(
                    $"Line {_at + 1} of the patch changes a binary file: only text can be patched, make this change with a command."
                );
            }
            else if (!IsPlainHeader(line))
            {
                break;
            }
        }

        if (names.Said && (isNew && names.Old is not null || isDeleted && names.New is not null))
        {
            throw Rejected(
                $"The file header at line {begin + 1} contradicts itself: a new file is --- /dev/null, a deleted one +++ /dev/null."
            );
        }

        isNew |= names is { Said: true, Old: null };
        isDeleted |= names is { Said: true, New: null };
        var oldPath = isNew ? null : moved.From ?? names.Old ?? defaultName;
        var newPath = isDeleted ? null : moved.To ?? names.New ?? defaultName;
        if ((oldPath ?? newPath) is null || (!isNew && oldPath is null) || (!isDeleted && newPath is null))
        {
            throw Rejected($"The file header at line {begin + 1} of the patch names no file: add its --- and +++ lines.");
        }

        if (
            moved == default
            && oldPath is not null
            && newPath is not null
            && !string.Equals(oldPath, newPath, StringComparison.Ordinal)
        )
        {
            throw Rejected(
                $"The file header at line {begin + 1} names two files, {oldPath} and {newPath}: say rename from and rename to."
            );
        }

        var hunks = ReadHunks();
        if (hunks.Count == 0 && !isNew && !isDeleted && moved == default && newMode is null)
        {
            throw Rejected($"The patch of {newPath} at line {begin + 1} changes nothing: add its hunks.");
        }

        Check(isNew, isDeleted, hunks, newPath ?? oldPath!);
        return new FilePatch(oldPath, newPath, isCopy, newMode, hunks);
    }

    private static bool IsPlainHeader(string line) =>
        line.StartsWith("old mode ", StringComparison.Ordinal)
        || line.StartsWith("index ", StringComparison.Ordinal)
        || line.StartsWith("similarity index ", StringComparison.Ordinal)
        || line.StartsWith("dissimilarity index ", StringComparison.Ordinal);

    private static void Check(bool isNew, bool isDeleted, List<Hunk> hunks, string path)
    {
        if (isNew && hunks.Exists(static hunk => hunk.Old.Any()))
        {
            throw Rejected($"{path} is said to be new, but its hunks hold old lines: name the old file in the --- line.");
        }

        if (isDeleted && hunks.Exists(static hunk => hunk.New.Any()))
        {
            throw Rejected(
                $"{path} is said to be deleted, but its hunks leave lines: remove every line, or name the new file in the +++ line."
            );
        }
    }

    private List<Hunk> ReadHunks()
    {
        var hunks = new List<Hunk>();
        while (_at < _lines.Count && HunkHeader.Match(Current) is { Success: true } header)
        {
            hunks.Add(ReadHunk(header));
        }

        return hunks;
    }

    private Hunk ReadHunk(Match header)
    {
        var begin = ++_at;
        var (oldLeft, newLeft) = (Number(header, "oldCount") ?? 1, Number(header, "newCount") ?? 1);
        var lines = new List<HunkLine>();
        while (oldLeft > 0 || newLeft > 0)
        {
            if (_at >= _lines.Count)
            {
                throw Miscounted(begin, $"the patch ends {Math.Max(oldLeft, newLeft)} lines too early");
            }

            var line = Current;
            if (line[0] is '\\')
            {
                DropNewline(lines, begin);
                _at++;
                continue;
            }

            // An empty line is an empty line of context whose space was lost on the way; GNU diff writes it so, too.
            var mark = line is "\n" or "\r\n" ? ' ' : line[0];
            oldLeft -= mark is ' ' or '-' ? 1 : 0;
            newLeft -= mark is ' ' or '+' ? 1 : 0;
            if (mark is not (' ' or '-' or '+') || oldLeft < 0 || newLeft < 0)
            {
                throw Miscounted(begin, $"line {_at + 1} does not fit");
            }

            lines.Add(new HunkLine(mark, line is "\n" or "\r\n" ? line : line[1..]));
            _at++;
        }

        if (_at < _lines.Count && Current.StartsWith("\\ ", StringComparison.Ordinal))
        {
            DropNewline(lines, begin);
            _at++;
        }

        return new Hunk(begin, Number(header, "old") ?? 0, Number(header, "new") ?? 0, lines);
    }

    private static void DropNewline(List<HunkLine> lines, int begin)
    {
        if (lines is not [.., var last])
        {
            throw Miscounted(begin, "it begins with a backslash");
        }

        lines[^1] = last with { Text = last.Text.TrimEnd('\n') };
    }

    private static WorkspaceException Miscounted(int begin, string what) =>
        Rejected(
            $"The hunk at line {begin} of the patch does not hold as many lines as its header says: {what}. Count again, or use edit."
        );

    private static int? Number(Match header, string group) =>
        !header.Groups[group].Success ? null
        : int.TryParse(header.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw Rejected($"The hunk header {header.Value} holds a number that no file can have.");

    /// <summary>A path as it stands after a keyword: quoted like a C string, or up to a tab; null for <c>/dev/null</c>.</summary>
    private static string? Name(string text)
    {
        text = text.TrimEnd('\r', '\n');
        if (text.StartsWith('"'))
        {
            return Unquote(text, out _);
        }

        var tab = text.IndexOf('\t');
        text = (tab < 0 ? text : text[..tab]).TrimEnd(' ');
        return text is "/dev/null" ? null : text;
    }

    // The line "diff --git" does not say where the first name ends: both are the same but for their first component.
    private static string? NameOfHeader(string names)
    {
        string first;
        string second;
        if (names.StartsWith('"'))
        {
            first = Unquote(names, out var length);
            second = Name(names[length..].TrimStart(' ')) ?? "";
        }
        else if (names.EndsWith('"') && names.IndexOf('"') is > 1 and var quote)
        {
            (first, second) = (names[..(quote - 1)], Unquote(names[quote..], out _));
        }
        else if (names.Length % 2 == 1 && names[names.Length / 2] is ' ')
        {
            (first, second) = (names[..(names.Length / 2)], names[(names.Length / 2 + 1)..]);
        }
        else
        {
            return null;
        }

        var (oldName, newName) = StripPrefixes(first, second);
        return string.Equals(oldName, newName, StringComparison.Ordinal) ? oldName : null;
    }

    // git's own prefixes, and those of diff.mnemonicPrefix: one letter, another on each side.
    private static (string? Old, string? New) StripPrefixes(string? oldName, string? newName)
    {
        var oldStripped =
            oldName is [_, '/', .. var oldRest] && (newName is null ? oldName[0] is 'a' or 'i' or 'c' or 'o' : true)
                ? oldRest
                : null;
        var newStripped =
            newName is [_, '/', .. var newRest] && (oldName is null ? newName[0] is 'b' or 'w' or 'i' : true) ? newRest : null;
        return
            (oldName is null || oldStripped is { Length: > 0 })
            && (newName is null || newStripped is { Length: > 0 })
            && (oldName is null || newName is null || oldName[0] != newName[0])
            ? (oldStripped, newStripped)
            : (oldName, newName);
    }

    private static string Unquote(string text, out int length)
    {
        var bytes = new List<byte>();
        for (var at = 1; at < text.Length; at++)
        {
            if (text[at] is '"')
            {
                length = at + 1;
                return Encoding.UTF8.GetString([.. bytes]);
            }

            if (text[at] is not '\\')
            {
                var size = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(at, size)));
                at += size - 1;
            }
            else if (at + 3 < text.Length && Octal.IsMatch(text.AsSpan(at + 1, 3)))
            {
                bytes.Add((byte)Convert.ToInt32(text.Substring(at + 1, 3), 8));
                at += 3;
            }
            else if (at + 1 < text.Length && "abfnrtv\"\\".IndexOf(text[at + 1]) is >= 0 and var escape)
            {
                bytes.Add((byte)"\a\b\f\n\r\t\v\"\\"[escape]);
                at++;
            }
            else
            {
                break;
            }
        }

        throw Rejected($"The quoted file name {text} does not end, or holds an escape that is none.");
    }

    private static string? After(string line, string keyword) =>
        line.StartsWith(keyword, StringComparison.Ordinal) ? line[keyword.Length..] : null;

    [GeneratedRegex(
        @"^@@ -(?<old>[0-9]+)(,(?<oldCount>[0-9]+))? \+(?<new>[0-9]+)(,(?<newCount>[0-9]+))? @@",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex HunkHeader { get; }

    [GeneratedRegex("^[0-3][0-7]{2}$", RegexOptions.NonBacktracking)]
    private static partial Regex Octal { get; }
}

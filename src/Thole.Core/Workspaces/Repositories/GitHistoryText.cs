using System.Globalization;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Repositories;

/// <summary>Asks git for commits and branches in a form without ambiguity, and reads it. No field can hold a NUL.</summary>
internal static class GitHistoryText
{
    public const string CommitFormat = "--format=tformat:%H%x00%h%x00%an%x00%ae%x00%at%x00%s%x00%D%x00%P";

    public const string RefFormat =
        "--format=%(refname)%00%(HEAD)%00%(upstream:short)%00%(upstream:track,nobracket)%00%(creatordate:unix)%00%(symref)%00%(contents:subject)";

    private const int FieldsOfCommit = 8;
    private const int MostRecent = 5;
    private const string Moving = "checkout: moving from ";
    private const string Local = "refs/heads/";
    private const string Remote = "refs/remotes/";
    private const string Tag = "refs/tags/";

    public static IEnumerable<CommitEntry> Commits(string printed) =>
        printed
            .Split('\0')
            .Chunk(FieldsOfCommit)
            .Where(static fields => fields.Length == FieldsOfCommit)
            .Select(static fields => new CommitEntry(
                fields[0],
                fields[1],
                fields[2],
                fields[3],
                Number(fields[4]),
                fields[5],
                fields[6].Length > 0 ? fields[6] : null,
                fields[7].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            ));

    /// <param name="reflog">The subjects of the log of HEAD, the newest first.</param>
    public static BranchList Branches(string printed, string reflog, string head, bool isDetached)
    {
        List<BranchEntry> local = [];
        List<BranchEntry> remote = [];
        List<TagEntry> tags = [];
        foreach (var line in printed.Split('\n'))
        {
            // A symbolic reference is another name of a branch that is told anyway.
            if (line.Split('\0') is not [var name, var mark, var upstream, var track, var date, "", .. var subject])
            {
                continue;
            }

            var said = string.Join(' ', subject);
            if (name.StartsWith(Tag, StringComparison.Ordinal))
            {
                tags.Add(new TagEntry(name[Tag.Length..], Number(date), said));
                continue;
            }

            var (list, prefix) = name.StartsWith(Local, StringComparison.Ordinal) ? (local, Local) : (remote, Remote);
            list.Add(
                new BranchEntry(
                    name[prefix.Length..],
                    mark is "*",
                    upstream.Length > 0 ? upstream : null,
                    track is "gone" ? true : null,
                    (int)Counted(track, "ahead "),
                    (int)Counted(track, "behind "),
                    Number(date),
                    said
                )
            );
        }

        var known = local.Select(static branch => branch.Name).ToHashSet(StringComparer.Ordinal);
        string[] recent =
        [
            .. reflog
                .Split('\0')
                .Where(static step => step.StartsWith(Moving, StringComparison.Ordinal))
                .Select(static step => step[(step.LastIndexOf(' ') + 1)..])
                .Where(name => name != head && known.Contains(name))
                .Distinct(StringComparer.Ordinal)
                .Take(MostRecent),
        ];
        return new BranchList(Available: true, local, remote, tags, recent, head, isDetached);
    }

    private static long Counted(string track, string word) =>
        track.Split(", ").FirstOrDefault(part => part.StartsWith(word, StringComparison.Ordinal)) is { } part
            ? Number(part[word.Length..])
            : 0;

    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

using System.Globalization;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Repositories;

/// <summary>Reads what <c>git status --porcelain=v2 --branch --show-stash -z</c> prints.</summary>
internal static class GitStatusText
{
    private const int ShownDigits = 7;

    public static RepositoryStatus Read(string printed)
    {
        var (head, commit, hasUpstream, ahead, behind, stashes) = ("", "", false, 0, 0, 0);
        var (staged, unstaged, untracked, conflicted) = (0, 0, 0, 0);
        var fields = printed.Split('\0');
        for (var at = 0; at < fields.Length; at++)
        {
            switch (fields[at].Split(' '))
            {
                case ["#", "branch.oid", var oid]:
                    commit = oid;
                    break;
                case ["#", "branch.head", .. var name]:
                    head = string.Join(' ', name);
                    break;
                case ["#", "branch.upstream", ..]:
                    hasUpstream = true;
                    break;
                case ["#", "branch.ab", var plus, var minus]:
                    (ahead, behind) = (Number(plus), Number(minus));
                    break;
                case ["#", "stash", var count]:
                    stashes = Number(count);
                    break;
                case ["1" or "2", { Length: 2 } states, ..]:
                    staged += states[0] is '.' ? 0 : 1;
                    unstaged += states[1] is '.' ? 0 : 1;
                    at += fields[at][0] is '2' ? 1 : 0; // the old name follows
                    break;
                case ["u", ..]:
                    conflicted++;
                    break;
                case ["?", ..]:
                    untracked++;
                    break;
                default:
                    break;
            }
        }

        var isDetached = head is "(detached)";
        return new RepositoryStatus(
            isDetached ? commit[..Math.Min(ShownDigits, commit.Length)] : head,
            isDetached,
            staged,
            unstaged,
            untracked,
            conflicted,
            hasUpstream,
            ahead,
            behind,
            stashes
        );
    }

    private static int Number(string text) =>
        int.TryParse(text.AsSpan().TrimStart("+-"), CultureInfo.InvariantCulture, out var number) ? number : 0;
}

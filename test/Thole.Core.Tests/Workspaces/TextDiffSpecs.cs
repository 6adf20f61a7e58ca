using System.Diagnostics;
using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Workspaces;

public sealed class TextDiffSpecs
{
    [Fact]
    public void Changes_of_random_texts_lead_from_the_old_to_the_new()
    {
        var random = new Random(99);
        for (var round = 0; round < 5000; round++)
        {
            var (old, changed) = (RandomLines(random), RandomLines(random));
            var result = new List<string>();
            var (oldAt, newAt) = (0, 0);
            foreach (var change in TextDiff.Compare(old, changed))
            {
                Assert.Equal(change.OldStart - oldAt, change.NewStart - newAt);
                result.AddRange(old.GetRange(oldAt, change.OldStart - oldAt));
                result.AddRange(changed.GetRange(change.NewStart, change.NewCount));
                (oldAt, newAt) = (change.OldEnd, change.NewEnd);
            }

            result.AddRange(old.GetRange(oldAt, old.Count - oldAt));
            Assert.Equal(changed, result);
        }
    }

    [Fact]
    public void The_script_is_the_shortest()
    {
        var random = new Random(7);
        for (var round = 0; round < 1000; round++)
        {
            var (old, changed) = (RandomLines(random), RandomLines(random));
            var edits = TextDiff.Compare(old, changed).Sum(change => change.OldCount + change.NewCount);
            Assert.Equal(old.Count + changed.Count - 2 * LongestCommon(old, changed), edits);
        }
    }

    [Fact]
    public void Huge_texts_with_nothing_in_common_are_one_change_and_quickly()
    {
        List<string> old = [.. Enumerable.Range(0, 300_000).Select(line => $"a{line}\n")];
        List<string> changed = [.. Enumerable.Range(0, 300_000).Select(line => $"b{line}\n")];
        var start = Stopwatch.GetTimestamp();

        var changes = TextDiff.Compare(["same\n", .. old], ["same\n", .. changed]);

        Assert.Equal([new LineChange(1, 300_000, 1, 300_000)], changes);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_patch_reads_as_git_writes_it() =>
        Assert.Equal(
            """
            diff --git a/f b/f
            --- a/f
            +++ b/f
            @@ -1,4 +1,4 @@
             a
            -b
            +B
             c
            -d
            \ No newline at end of file
            +d

            """.ReplaceLineEndings("\n"),
            TextDiff.Unified("f", "a\nb\nc\nd", "a\nB\nc\nd\n")
        );

    [Theory]
    [InlineData(null, "x\n", "new file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n")]
    [InlineData("x\n", null, "deleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n")]
    [InlineData(null, "", "new file mode 100644\n")]
    public void A_file_that_comes_or_goes_says_so(string? old, string? changed, string expected) =>
        Assert.Equal("diff --git a/f b/f\n" + expected, TextDiff.Unified("f", old, changed));

    private static List<string> RandomLines(Random random) =>
        [.. Enumerable.Range(0, random.Next(12)).Select(_ => $"{random.Next(4)}\n")];

    private static int LongestCommon(List<string> left, List<string> right)
    {
        var table = new int[left.Count + 1, right.Count + 1];
        for (var i = 1; i <= left.Count; i++)
        {
            for (var j = 1; j <= right.Count; j++)
            {
                table[i, j] = left[i - 1] == right[j - 1] ? table[i - 1, j - 1] + 1 : Math.Max(table[i - 1, j], table[i, j - 1]);
            }
        }

        return table[left.Count, right.Count];
    }
}

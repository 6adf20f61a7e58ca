using System.Text;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Tests.Workspaces;

/// <summary>What becomes of a write in place whose process was killed.</summary>
public sealed class InPlaceSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public InPlaceSpecs() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: files are written in place only there");

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("old content", "the new content, longer", "the new content", "the new content, longer")] // grown, then killed
    [InlineData("the old content, longer", "new", "new old content, longer", "new")] // not yet truncated
    [InlineData("old content", "new content", "old content", "old content")] // not yet begun
    [InlineData("old content", "new content", "new content", "new content")] // only the journal was left
    public void The_next_of_us_completes_it(string old, string @new, string found, string expected)
    {
        var path = Interrupted(old, @new, found);

        new FileWriter(TimeProvider.System).Recover(_scratch.Inside());

        Assert.Equal(expected, File.ReadAllText(path));
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void What_somebody_wrote_since_is_theirs()
    {
        var path = Interrupted("old content", "new content", "restored by hand");

        new FileWriter(TimeProvider.System).Recover(_scratch.Inside());

        Assert.Equal("restored by hand", File.ReadAllText(path));
        Assert.Single(_scratch.Leftovers());
    }

    [Fact]
    public async Task Whoever_reads_the_file_reads_it_completed()
    {
        Interrupted("old content", "new content", "new ontent");
        File.WriteAllText(_scratch.Inside("file"), "new contold");
        Interrupted("old content", "new content", "new content"[..6] + "ntent");
        var workspace = new Workspace(_scratch.Inside(), [], TimeProvider.System);

        var content = await workspace.ReadAsync(workspace.Resolve("file"), 100, TestContext.Current.CancellationToken);

        Assert.Equal("new content", Encoding.UTF8.GetString(content));
    }

    [Fact]
    public void A_journal_of_somebody_else_is_not_followed()
    {
        var path = Interrupted("old content", "new content", "new ontentt");
        Scratch.SetMode(Assert.Single(_scratch.Leftovers()), 0x1A4);

        new FileWriter(TimeProvider.System).Recover(_scratch.Inside());

        Assert.Equal("new ontentt", File.ReadAllText(path));
    }

    /// <summary>A file with two names, its journal, and the bytes that a killed writer left in it.</summary>
    private string Interrupted(string old, string @new, string found)
    {
        var path = _scratch.File("file", found);
        if (!File.Exists(_scratch.Inside("other")))
        {
            Scratch.Run("ln", path, _scratch.Inside("other"));
        }

        foreach (var journal in _scratch.Leftovers())
        {
            File.Delete(journal);
        }

        using var folder = Libc.Open(_scratch.Inside(), OpenFlags.Directory);
        var status = Libc.StatusAt(folder, "file")!.Value;
        InPlace
            .StartJournal(
                folder,
                InPlace.JournalName(status),
                InPlace.Describe(status.Inode, "file", Encoding.UTF8.GetBytes(old), Encoding.UTF8.GetBytes(@new)),
                "file"
            )
            .Dispose();
        return path;
    }
}

using Thole.Cli.Configuration;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Cli.Tests;

public sealed class CompositionSpecs
{
    [Fact]
    public async Task A_house_that_is_left_closes_the_index_of_its_sessions()
    {
        using var folder = new TempFolder();
        var locations = new Locations(folder.Path, folder.Path);
        Directory.CreateDirectory(locations.Sessions);
        await using (
            var house = new Composition(
                Settings.Load(locations, folder.Path, _ => null, new Dictionary<string, IReadOnlyList<string>>())
            )
        )
        {
            await house.Catalog.ListAsync(workspace: null, limit: 1, TestContext.Current.CancellationToken);
            Assert.NotEmpty(Directory.GetFiles(locations.Sessions, "*-wal"));
        }

        Assert.Empty(Directory.GetFiles(locations.Sessions, "*-wal"));
    }

    [Fact]
    public async Task A_tool_that_is_switched_off_stays_off_in_that_workspace_and_in_no_other()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("one"));
        Directory.CreateDirectory(folder.File("two"));
        await using (var house = House(folder, "one"))
        {
            await house.Inventory.SetToolEnabledAsync("web_fetch", enabled: false, TestContext.Current.CancellationToken);
            Assert.DoesNotContain("web_fetch", house.ToolNames);
        }

        await using var again = House(folder, "one");
        await using var other = House(folder, "two");

        Assert.DoesNotContain("web_fetch", again.ToolNames);
        Assert.Contains("web_fetch", other.ToolNames);
        Assert.Empty(Directory.GetFileSystemEntries(folder.File("one")));
    }

    [Fact]
    public async Task The_house_answers_questions_about_its_workspace()
    {
        using var folder = new TempFolder();
        folder.Write("workspace/AGENTS.md", "Use tabs.");
        await using var house = House(folder, "workspace");

        var text = await house.Files.ReadTextAsync("AGENTS.md", new TextWindow(), TestContext.Current.CancellationToken);
        var status = await house.Repository.StatusAsync(TestContext.Current.CancellationToken);
        var memory = await house.Inventory.MemoryAsync(TestContext.Current.CancellationToken);

        Assert.Equal("Use tabs.", text.Content);
        Assert.Null(status.Branch);
        Assert.Equal(1, memory.FileCount);
    }

    private static Composition House(TempFolder folder, string workspace) =>
        new(
            Settings.Load(
                new Locations(folder.File("config"), folder.File("state")),
                folder.File(workspace),
                _ => null,
                new Dictionary<string, IReadOnlyList<string>>()
            )
        );
}

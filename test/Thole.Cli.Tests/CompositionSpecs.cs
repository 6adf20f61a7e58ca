using Thole.Cli.Configuration;
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
}

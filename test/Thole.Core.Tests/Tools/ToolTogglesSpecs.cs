using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Tools;

public sealed class ToolTogglesSpecs : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ITool[] _tools = [new TestTool("edit", "done"), new TestTool("read", "done")];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_tool_that_is_switched_off_is_gone_from_the_next_box_and_stays_gone()
    {
        var toggles = Open();
        var before = toggles.Enabled;

        toggles.Set("edit", isEnabled: false);

        Assert.NotNull(before.Find("edit")); // a step that runs keeps what it was told
        Assert.Equal(["read"], toggles.Enabled.Definitions.Select(tool => tool.Name));
        Assert.False(Open().IsEnabled("edit"));
        Assert.True(Open().IsEnabled("read"));
    }

    [Fact]
    public void What_is_switched_on_again_is_there_again()
    {
        var toggles = Open();
        toggles.Set("edit", isEnabled: false);
        toggles.Set("edit", isEnabled: false);

        toggles.Set("edit", isEnabled: true);

        Assert.True(toggles.IsEnabled("edit"));
        Assert.True(Open().IsEnabled("edit"));
    }

    [Theory]
    [InlineData("Edit")]
    [InlineData("edit ")]
    [InlineData("../edit")]
    [InlineData("")]
    public void A_name_that_no_tool_has_exactly_is_refused(string name)
    {
        var refused = Assert.Throws<RefusedException>(() => Open().Set(name, isEnabled: false));

        Assert.Equal("tool_not_registered", refused.Reason);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void What_cannot_be_remembered_does_not_happen()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: a file where a folder should be");
        _folder.Write("state", "in the way");
        var toggles = Open();

        Assert.Throws<WorkspaceException>(() => toggles.Set("edit", isEnabled: false));

        Assert.True(toggles.IsEnabled("edit"));
    }

    [Fact]
    public void A_damaged_choice_is_not_taken_for_none()
    {
        _folder.Write("state/tools.json", """{"disabled":["ed""");

        var failed = Assert.Throws<WorkspaceException>(Open);

        Assert.Contains("delete it", failed.Message);
    }

    [Fact]
    public void The_choice_of_a_tool_that_is_not_there_today_is_kept()
    {
        _folder.Write("state/tools.json", """{"disabled":["of_tomorrow"]}""");

        Open().Set("edit", isEnabled: false);

        Assert.Equal("""{"disabled":["edit","of_tomorrow"]}""", File.ReadAllText(_folder.File("state/tools.json")));
    }

    private ToolToggles Open() => new(_tools, _folder.File("state/tools.json"));
}

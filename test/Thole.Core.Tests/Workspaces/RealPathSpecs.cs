using Thole.Core.Workspaces;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

/// <summary>Where a path really leads. The links are made by whoever made the repository.</summary>
public sealed class RealPathSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    public RealPathSpecs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        Directory.CreateDirectory(Place("real/deep"));
        Directory.CreateDirectory(Place("other"));
        File.WriteAllText(Place("real/deep/a.txt"), "a");
        File.WriteAllText(Place("real/b.txt"), "b");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("real/deep/a.txt", "real/deep/a.txt")]
    [InlineData("folder/a.txt", "real/deep/a.txt")]
    [InlineData("file", "real/deep/a.txt")]
    [InlineData("folder/up", "real/b.txt")]
    [InlineData("folder/not/there", "real/deep/not/there")]
    [InlineData("not/there", "not/there")]
    [InlineData("dangling", "nowhere")]
    public void Links_are_followed_as_the_kernel_follows_them(string path, string real)
    {
        Link("folder", "real/deep");
        Link("file", Place("folder/a.txt"));
        Link("real/deep/up", "../b.txt"); // up from where it really is, whatever way led there
        Link("dangling", "nowhere");

        Assert.Equal(Place(real), Workspace.RealPath(Place(path)));
    }

    [Theory]
    [InlineData("a", "b", "b", "a")]
    [InlineData("a", "a", "b", "b")]
    [InlineData("a", "a/b", "b", "a")]
    [InlineData("a", "b/x", "b", "a/x")]
    public void Links_without_an_end_have_one_here(string one, string oneTarget, string other, string otherTarget)
    {
        Link(one, oneTarget);
        Link(other, otherTarget);

        Assert.StartsWith(Place(""), Workspace.RealPath(Place("a/x/y")));
    }

    private string Place(string path) => Path.Join(Workspace.RealPath(_folder.Path), path);

    private void Link(string path, string target) => File.CreateSymbolicLink(Place(path), target);
}

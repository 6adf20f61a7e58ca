using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Repositories;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

/// <summary>A repository made by the real git, and ours looking at it.</summary>
internal sealed class TestRepository : IAsyncDisposable
{
    private static readonly string[] s_person = ["-c", "user.name=Ann Example", "-c", "user.email=ann@example.org"];

    private readonly ProcessRunner _processes = new(new ChildEnvironment([]), TimeProvider.System);

    public TestRepository(string folder = "")
    {
        Assert.SkipUnless(Git.IsThere, "needs git");
        Directory.CreateDirectory(Scratch.Inside(folder));
        Asked = At(folder);
    }

    public Scratch Scratch { get; } = new();

    public Repository Asked { get; }

    public Repository At(string folder) =>
        new(
            new Workspace(Scratch.Inside(folder), [], TimeProvider.System),
            _processes,
            new ChildEnvironment([]),
            TimeProvider.System
        );

    /// <summary>A repository on the branch main.</summary>
    public static async Task<TestRepository> InitAsync()
    {
        var repository = new TestRepository();
        await repository.GitAsync("init", "--quiet", "--initial-branch=main");
        return repository;
    }

    public Task<string> GitAsync(params string[] arguments) => Git.RunAsync(Scratch.Inside(), "", [.. s_person, .. arguments]);

    public async Task CommitAsync(string subject)
    {
        await GitAsync("add", "--all");
        await GitAsync("commit", "--quiet", "--allow-empty", "--message", subject);
    }

    public async ValueTask DisposeAsync()
    {
        await _processes.DisposeAsync();
        Scratch.Dispose();
    }
}

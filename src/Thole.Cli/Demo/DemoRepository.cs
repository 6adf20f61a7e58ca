using Thole.Core.Workspaces;

namespace Thole.Cli.Demo;

/// <summary>A small git repository with a bug and a test that shows it.</summary>
internal static class DemoRepository
{
    public const string TestCommand = "sh test.sh";

    private const string Program = """
        #!/bin/sh
        # total PRICE COUNT: what COUNT pieces cost; from ten pieces on there is a discount of 10 percent.
        price=$1
        count=$2
        total=$((price * count))
        if [ "$count" -gt 10 ]; then
            total=$((total - total / 10))
        fi
        echo "$total"

        """;

    private const string Test = """
        #!/bin/sh
        failed=0
        check() {
            actual=$(sh total.sh "$1" "$2")
            if [ "$actual" = "$3" ]; then
                echo "ok      total $1 $2 = $3"
            else
                echo "FAILED  total $1 $2: expected $3, got $actual"
                failed=1
            fi
        }
        check 5 1 5
        check 5 9 45
        check 5 10 45
        check 5 20 90
        exit $failed

        """;

    private const string Readme = """
        # total

        `sh total.sh PRICE COUNT` prints what COUNT pieces cost. From ten pieces on there is a discount of 10 percent.
        `sh test.sh` runs the tests.

        """;

    /// <exception cref="UsageException">git is not on PATH, or does not do what it is asked.</exception>
    public static async Task CreateAsync(string folder, Git git)
    {
        Directory.CreateDirectory(folder);
        var workspace = new Workspace(folder, [], TimeProvider.System);
        foreach (var (name, text) in new[] { ("total.sh", Program), ("test.sh", Test), ("README.md", Readme) })
        {
            var path = workspace.Resolve(name);
            await workspace.WriteAsync(path, System.Text.Encoding.UTF8.GetBytes(text), basedOn: null, CancellationToken.None);
        }

        await git.RunAsync("init", "--quiet");
        await git.RunAsync("add", "--all");
        await git.RunAsync(
            "-c",
            "user.name=Demo",
            "-c",
            "user.email=demo@localhost",
            "commit",
            "--quiet",
            "--message",
            "A shop's arithmetic"
        );
    }
}

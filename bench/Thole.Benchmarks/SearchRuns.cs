using System.Diagnostics;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;

namespace Thole.Benchmarks;

/// <summary>Finding files and lines in a large repository: as one round of a whole turn, and the engine alone.</summary>
internal static class SearchRuns
{
    private const int Files = 50_000;

    public static async Task MeasureAsync(
        Workplace place,
        ModelScript model,
        int runs,
        Table table,
        CancellationToken cancellationToken
    )
    {
        var folder = place.Folder("large");
        RepositoryGenerator.Generate(folder, Files, seed: 1);
        Directory.CreateDirectory(Path.Combine(folder, ".git", "objects"));
        Directory.CreateDirectory(Path.Combine(folder, ".git", "refs", "heads"));
        File.WriteAllText(Path.Combine(folder, ".git", "HEAD"), "ref: refs/heads/main\n");

        model.Say("Done.");
        table.Add(
            "one-shot in 50,000 files, no search",
            Measurement.Of(runs, watch => HeadlessRuns.Prompt(place, watch, folder)),
            ""
        );

        model.Say("Done.", ("glob", """{"pattern":"**/*.cs"}"""));
        table.Add("one-shot with `glob **/*.cs`", Measurement.Of(runs, watch => HeadlessRuns.Prompt(place, watch, folder)), "");

        model.Say("Done.", ("grep_search", $$"""{"pattern":"{{RepositoryGenerator.RareWord}}"}"""));
        table.Add(
            "one-shot with `grep_search` of a word in one file",
            Measurement.Of(runs, watch => HeadlessRuns.Prompt(place, watch, folder)),
            ""
        );

        var workspace = new Workspace(folder, [], TimeProvider.System);
        var engine = new Searcher(workspace);
        var root = workspace.Resolve(".");
        await AddAsync("glob, the engine alone, warm", () => engine.FindAsync(new FileQuery(root, "**/*.cs"), cancellationToken));
        await AddAsync(
            "grep, the engine alone, warm",
            () =>
                engine.GrepAsync(
                    new GrepQuery(root, RepositoryGenerator.RareWord, null, IgnoreCase: false, 1000),
                    cancellationToken
                )
        );

        async Task AddAsync<T>(string figure, Func<IAsyncEnumerable<T>> search)
        {
            List<double> wall = [];
            List<double> cpu = [];
            for (var run = 0; run <= runs; run++)
            {
                var (started, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                if (await search().CountAsync(cancellationToken) == 0)
                {
                    throw new InvalidOperationException($"{figure}: nothing was found.");
                }

                if (run > 0) // the first is compiling
                {
                    wall.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                    cpu.Add((Environment.CpuUsage.TotalTime - used).TotalMilliseconds);
                }
            }

            table.Add(figure, runs, Spread.Of(wall), Spread.Of(cpu), null, "");
        }
    }
}

namespace Thole.Benchmarks;

/// <summary>A folder to work in, a home for the program's state, and a model that answers at once.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("thole-bench-").FullName;

    public Workplace(string binary, Uri model)
    {
        Binary = binary;
        Directory.CreateDirectory(Home);
        Directory.CreateDirectory(Path.Combine(Repository, "src"));
        File.WriteAllText(Path.Combine(Repository, "AGENTS.md"), "Build with `make`. Keep functions short.\n");
        for (var number = 1; number <= HeadlessRuns.ManyRounds; number++)
        {
            var lines = Enumerable.Range(1, 40).Select(line => $"line {line} of file {number}");
            File.WriteAllLines(Path.Combine(Repository, "src", $"file{number}.txt"), lines);
        }

        // What git sees of a repository is its .git folder; no program is needed to make an empty one.
        Directory.CreateDirectory(Path.Combine(Repository, ".git", "objects"));
        Directory.CreateDirectory(Path.Combine(Repository, ".git", "refs", "heads"));
        File.WriteAllText(Path.Combine(Repository, ".git", "HEAD"), "ref: refs/heads/main\n");

        Variables = new Dictionary<string, string>
        {
            ["THOLE_HOME"] = Home,
            ["OPENAI_API_KEY"] = "none",
            ["OPENAI_BASE_URL"] = model.ToString(),
            ["OPENAI_MODEL"] = "scripted",
            ["NO_PROXY"] = "127.0.0.1",
        };
    }

    public string Binary { get; }

    public string Repository => Path.Combine(_folder, "repository");

    public string Home => Path.Combine(_folder, "home");

    public IReadOnlyDictionary<string, string> Variables { get; }

    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    public ChildRun Run(bool watchMemory, string folder, params IReadOnlyList<string> arguments) =>
        Child.Run(Binary, arguments, folder, Variables, watchMemory);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

using System.Globalization;
using System.Text;

namespace Thole.Benchmarks;

/// <summary>
/// Writes a repository that looks like one: folders up to seven deep, sources of a few kilobytes in several languages, ignored
/// build output. The same count and seed give the same bytes.
/// </summary>
public static class RepositoryGenerator
{
    /// <summary>Stands in exactly one file.</summary>
    public const string RareWord = "QuixoticLanternKeeper";

    private static readonly string[] s_words =
    [
        "session",
        "event",
        "value",
        "return",
        "public",
        "sealed",
        "record",
        "string",
        "token",
        "cancel",
        "await",
        "result",
        "index",
        "buffer",
        "parse",
        "append",
        "stream",
        "writer",
        "reader",
        "model",
        "handle",
        "count",
        "error",
        "state",
        "list",
        "find",
        "open",
        "close",
    ];

    private static readonly string[] s_extensions = [".cs", ".cs", ".cs", ".cs", ".ts", ".ts", ".py", ".md", ".json", ".txt"];

    /// <returns>How many of the files end in <c>.cs</c> and are not ignored.</returns>
    public static int Generate(string folder, int count, int seed)
    {
        var random = new Random(seed);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Join(folder, ".gitignore"), "bin/\nobj/\n*.log\n!keep.log\n/generated/**/*.g.cs\n");
        List<string> directories = [folder];
        var sources = 0;
        for (var number = 0; number < count; number++)
        {
            if (number % 10 == 0)
            {
                var parent = directories[random.Next(directories.Count)];
                var depth = parent.AsSpan(folder.Length).Count(Path.DirectorySeparatorChar);
                var name = random.Next(20) == 0 ? "obj" : Word(random) + directories.Count.ToString(CultureInfo.InvariantCulture);
                var directory = Path.Join(depth < 7 ? parent : folder, name);
                Directory.CreateDirectory(directory);
                directories.Add(directory);
            }

            var extension = s_extensions[random.Next(s_extensions.Length)];
            var home = directories[^1];
            sources +=
                extension is ".cs" && !home.AsSpan(folder.Length).ToString().Split(Path.DirectorySeparatorChar).Contains("obj")
                    ? 1
                    : 0;
            File.WriteAllText(Path.Join(home, $"{Word(random)}{number}{extension}"), Text(random, number == count / 2));
        }

        return sources;
    }

    private static string Text(Random random, bool isRare)
    {
        var lines = 10 + (int)(90 * Math.Pow(random.NextDouble(), 2));
        var text = new StringBuilder(lines * 40);
        for (var line = 0; line < lines; line++)
        {
            text.Append(' ', 4 * random.Next(4));
            for (var word = random.Next(3, 9); word > 0; word--)
            {
                text.Append(Word(random))
                    .Append(
                        word == 1 ? ";\n"
                        : random.Next(3) == 0 ? "("
                        : " "
                    );
            }

            if (isRare && line == lines / 2)
            {
                text.Append(RareWord).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Word(Random random) => s_words[random.Next(s_words.Length)];
}

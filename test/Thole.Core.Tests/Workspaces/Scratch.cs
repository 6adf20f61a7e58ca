using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Thole.Core.Tests.Workspaces;

/// <summary>A folder for one test: <c>inside</c> is the workspace, <c>outside</c> is what nobody may touch.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("thole-files-");

    public Scratch()
    {
        Directory.CreateDirectory(Inside());
        Directory.CreateDirectory(Outside());
    }

    public string Inside(string name = "") => Path.Join(_folder.FullName, "inside", name).TrimEnd('/');

    public string Outside(string name = "") => Path.Join(_folder.FullName, "outside", name).TrimEnd('/');

    public string File(string name, string content = "old")
    {
        var path = Inside(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    /// <summary>What lies in the workspace and was made by us on the way: there must be nothing.</summary>
    public string[] Leftovers() => Directory.GetFiles(Inside(), ".thole-*", SearchOption.AllDirectories);

    public static string Hash(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    public static int Mode(string path) => OperatingSystem.IsWindows() ? 0 : (int)System.IO.File.GetUnixFileMode(path);

    public static void SetMode(string path, int mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(path, (UnixFileMode)mode);
        }
    }

    /// <summary>Runs a program that describes or changes files; skips the test where it is absent or may not.</summary>
    public static string Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments)
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = false,
                }
            )!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.SkipWhen(process.ExitCode != 0, $"{program} {string.Join(' ', arguments)} does not work here");
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"needs {program}: apt-get install acl attr mount");
            throw;
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

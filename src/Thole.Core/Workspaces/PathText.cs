using System.Buffers;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>What the text of a path alone says: the forms that a shell, a browser or another system would read differently are refused.</summary>
internal static class PathText
{
    private static readonly string[] s_homes = ["$HOME", "${HOME}", "$env:", "%USERPROFILE%", "%HOMEPATH%", "%APPDATA%"];

    private static readonly SearchValues<char> s_notInUserNames = SearchValues.Create("$#%&~.");

    private static readonly HashSet<string> s_devices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        "CLOCK$",
    };

    /// <summary>Throws where the path cannot be meant literally.</summary>
    public static void Check(string path)
    {
        var refusal = path switch
        {
            "" => (ToolErrors.InvalidArguments, "The path is empty; name a file or folder, or . for the workspace itself."),
            _ when path.Contains('\0') => (ToolErrors.InvalidArguments, "The path contains a NUL character; write it without."),
            _ when !IsWellFormed(path) => (
                ToolErrors.InvalidArguments,
                "The path contains half a character; write it in valid Unicode."
            ),
            _ when IsHome(path) => (
                ToolErrors.OutsideWorkspace,
                $"{path} is not expanded to a home folder here; use a path inside the workspace (./{path} for a file of that very name)."
            ),
            _ when !OperatingSystem.IsWindows() && IsWindowsPath(path) => (
                ToolErrors.OutsideWorkspace,
                $"{path} is a Windows path and this is not Windows; use a path inside the workspace with forward slashes."
            ),
            _ when path.StartsWith(@"\\?\", StringComparison.Ordinal) || path.StartsWith(@"\\.\", StringComparison.Ordinal) => (
                ToolErrors.OutsideWorkspace,
                $"{path} goes around the rules for names; write the plain path."
            ),
            _ when !OperatingSystem.IsWindows() && path.Contains('\\') && HasParent(path) => (
                ToolErrors.OutsideWorkspace,
                $"{path} goes up with backslashes; use forward slashes and stay inside the workspace."
            ),
            _ when path.Contains('%') && HasParent(Decoded(path)) && !HasParent(path) => (
                ToolErrors.OutsideWorkspace,
                $"{path} hides a way up in percent signs; write the plain path."
            ),
            _ when NamesDevice(path) => (
                ToolErrors.NotRegularFile,
                $"{path} is the name of a device on Windows; use another name (./{path}/. for a folder of that very name)."
            ),
            _ => default((string Error, string Message)?),
        };

        if (refusal is { } refused)
        {
            throw new WorkspaceException(refused.Item1, refused.Item2);
        }
    }

    /// <summary>Absolute, without <c>.</c>, <c>..</c>, doubled or trailing separators; purely by the text.</summary>
    public static string Normalize(string root, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, root));
        }

        var kept = new List<string>();
        foreach (var name in (path.StartsWith('/') ? path : $"{root}/{path}").Split('/'))
        {
            if (name is ".." && kept.Count > 0)
            {
                kept.RemoveAt(kept.Count - 1);
            }
            else if (name is not ("" or "." or ".."))
            {
                kept.Add(name);
            }
        }

        return "/" + string.Join('/', kept);
    }

    public static bool IsBeneath(string path, string root)
    {
        var comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return path.StartsWith(root, comparison)
            && (path.Length == root.Length || Path.EndsInDirectorySeparator(root) || path[root.Length] is '/' or '\\');
    }

    // "~" and "~name" as a shell reads them; "~$report.docx" is a file.
    private static bool IsHome(string path)
    {
        if (path[0] != '~')
        {
            return Array.Exists(s_homes, home => path.StartsWith(home, StringComparison.OrdinalIgnoreCase));
        }

        var end = path.AsSpan().IndexOfAny('/', '\\');
        var user = path.AsSpan(1, (end < 0 ? path.Length : end) - 1);
        return user is [] or "+" or "-" || (user.IndexOfAnyExceptInRange('!', 'z') < 0 && !user.ContainsAny(s_notInUserNames));
    }

    private static bool IsWindowsPath(string path) =>
        path.StartsWith('\\') || (path.Length > 2 && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '\\' or '/');

    private static bool HasParent(string path) => Array.Exists(path.Split('/', '\\'), name => name.TrimEnd(' ') is "..");

    // A device name with an extension is a device to Windows too, but aux.c is a file of the Linux kernel.
    private static bool NamesDevice(string path)
    {
        var names = path.Split('/', '\\');
        return OperatingSystem.IsWindows() ? Array.Exists(names, name => IsDevice(name.Split('.', ':')[0])) : IsDevice(names[^1]);
    }

    private static bool IsDevice(string name)
    {
        var trimmed = name.TrimEnd(' ', '.');
        return s_devices.Contains(trimmed)
            || (
                trimmed.Length == 4
                && (
                    trimmed.StartsWith("COM", StringComparison.OrdinalIgnoreCase)
                    || trimmed.StartsWith("LPT", StringComparison.OrdinalIgnoreCase)
                )
                && (char.IsAsciiDigit(trimmed[3]) || trimmed[3] is '¹' or '²' or '³')
            );
    }

    private static bool IsWellFormed(string path)
    {
        for (var i = 0; i < path.Length; i++)
        {
            if (char.IsSurrogate(path[i]) && !(i + 1 < path.Length && char.IsSurrogatePair(path[i], path[++i])))
            {
                return false;
            }
        }

        return true;
    }

    // As the most careless of decoders would: repeatedly, and with over-long UTF-8 taken for what it means.
    private static string Decoded(string path)
    {
        for (var round = 0; round < 3 && path.Contains('%'); round++)
        {
            path = DecodedOnce(path);
        }

        return path;
    }

    private static string DecodedOnce(string path)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && i + 2 < path.Length && char.IsAsciiHexDigit(path[i + 1]) && char.IsAsciiHexDigit(path[i + 2]))
            {
                bytes.Add(Convert.FromHexString(path.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else
            {
                bytes.Add(path[i] < 0x80 ? (byte)path[i] : (byte)'?');
            }
        }

        var text = new StringBuilder();
        for (var i = 0; i < bytes.Count; i++)
        {
            var following = bytes[i] switch
            {
                >= 0xC0 and < 0xE0 => 1,
                >= 0xE0 and < 0xF0 => 2,
                >= 0xF0 and < 0xF8 => 3,
                _ => 0,
            };
            var code = following == 0 ? bytes[i] : bytes[i] & (0x3F >> following);
            for (; following > 0 && i + 1 < bytes.Count; following--)
            {
                code = (code << 6) | (bytes[++i] & 0x3F);
            }

            text.Append(code < 0xD800 ? (char)code : '?');
        }

        return text.ToString();
    }
}

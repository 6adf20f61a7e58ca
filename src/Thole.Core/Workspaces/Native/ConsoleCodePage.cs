using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Unicode;

namespace Thole.Core.Workspaces.Native;

/// <summary>On Windows a program prints in the code page of its console, unless it is one that prints UTF-8.</summary>
[SupportedOSPlatform("windows")]
internal static partial class ConsoleCodePage
{
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        // Without a console GetConsoleOutputCP is 0, and cmd falls back to the OEM code page.
        var codePage = GetConsoleOutputCP() is var console and not 0 ? console : GetOEMCP();
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding((int)codePage) ?? Encoding.UTF8;
        return encoding.GetString(bytes);
    }

    [LibraryImport("kernel32")]
    private static partial uint GetConsoleOutputCP();

    [LibraryImport("kernel32")]
    private static partial uint GetOEMCP();
}

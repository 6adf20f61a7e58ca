using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Web;

/// <summary>
/// An address that may be asked for: http or https, a host with a public name or a public IP in its ordinary form, no user name,
/// and a port that no well-known service other than the web listens on. Always ASCII: a host in other letters is shown as punycode.
/// </summary>
internal static class PageAddress
{
    private const int MaxLength = 8192;

    // Services that answer to bytes of an HTTP request, or that are the prize where something listens next door.
    private static readonly HashSet<int> s_servicePorts =
    [
        1080,
        1194,
        1433,
        1434,
        1521,
        1723,
        1883,
        2049,
        2181,
        2375,
        2376,
        2377,
        2379,
        2380,
        3128,
        3268,
        3306,
        3389,
        4369,
        5060,
        5061,
        5222,
        5269,
        5432,
        5672,
        5900,
        5901,
        5984,
        5985,
        5986,
        6379,
        6443,
        6566,
        6697,
        7000,
        7001,
        8086,
        8500,
        9042,
        9092,
        9200,
        9300,
        10050,
        10051,
        10080,
        10250,
        10255,
        11211,
        15672,
        25565,
        26379,
        27017,
        27018,
        27019,
        28017,
        50000,
        61616,
    ];

    /// <exception cref="WorkspaceException">It may not be asked for, and why.</exception>
    public static Uri Parse(string text)
    {
        var scheme =
            text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https"
            : text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? "http"
            : throw Refused(text, "only http:// and https:// addresses are fetched");
        if (text.Length > MaxLength)
        {
            throw Refused(text, $"it is longer than {MaxLength} characters");
        }

        if (text.Any(static c => c <= ' ' || c is '\\' or (>= '\x7F' and <= '\xA0') || char.IsSurrogate(c)))
        {
            throw Refused(text, "it holds a space, a backslash or a control character: percent-encode it");
        }

        var authority = Authority(text, scheme.Length + 3);
        if (authority.Length == 0 || authority.AsSpan().IndexOfAny('@', '%') >= 0)
        {
            throw Refused(text, "its host is empty, encoded, or follows a user name: write scheme, host and path only");
        }

        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
                ? Normal(scheme, uri, authority, text)
                : throw Refused(text, "it is not a valid address");
        }
        catch (Exception invalid) when (invalid is UriFormatException or ArgumentException)
        {
            // A host that is no valid international name shows only when its ASCII form is asked for.
            throw Refused(text, "its host is no valid name");
        }
    }

    public static WorkspaceException Refused(string address, string reason) =>
        new(ToolErrors.FetchRefused, $"'{Shown(address)}' was not fetched: {reason}.");

    public static string Shown(string address) => TerminalText.EscapeLine(address.Length > 300 ? address[..300] + "…" : address);

    private static Uri Normal(string scheme, Uri uri, string authority, string text)
    {
        var host = Host(uri, authority, text);
        if (
            uri.Port is not (80 or 443)
            && (uri.Port < 1024 || s_servicePorts.Contains(uri.Port) || uri.Port is >= 6000 and <= 6063 or >= 6660 and <= 6669)
        )
        {
            throw Refused(text, $"port {uri.Port} is not a port of the web");
        }

        var port = uri.IsDefaultPort ? "" : $":{uri.Port}";
        return new Uri($"{scheme}://{host}{port}{uri.PathAndQuery}");
    }

    private static string Authority(string text, int start)
    {
        var end = text.AsSpan(start).IndexOfAny('/', '?', '#');
        return end < 0 ? text[start..] : text.Substring(start, end);
    }

    private static string Host(Uri uri, string authority, string text)
    {
        if (IPAddress.TryParse(uri.IdnHost, out var address))
        {
            // 0x7f.1, 0177.0.0.1 and 2130706433 are read differently by different readers; so is a zone.
            var typed =
                uri.IsDefaultPort && !authority.EndsWith($":{uri.Port}", StringComparison.Ordinal)
                    ? authority
                    : authority[..authority.LastIndexOf(':')];
            var isOrdinary =
                address.AddressFamily == AddressFamily.InterNetworkV6
                || string.Equals(typed, address.ToString(), StringComparison.Ordinal);
            return isOrdinary && PublicAddresses.Contains(address)
                ? address.AddressFamily == AddressFamily.InterNetworkV6
                    ? $"[{address}]"
                    : address.ToString()
                : throw Refused(text, "it is not a public address in its ordinary form");
        }

        var host = uri.IdnHost.TrimEnd('.').ToLowerInvariant();
        var last = host[(host.LastIndexOf('.') + 1)..];
        if (
            host.Length is 0 or > 253
            || host.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            || authority.Any(static c => c > '\x7F' && !IsLetter(c))
            || host.Contains("..", StringComparison.Ordinal)
            || char.IsAsciiDigit(last.FirstOrDefault())
        )
        {
            throw Refused(text, "its host is no valid name");
        }

        return
            !host.Contains('.', StringComparison.Ordinal)
            || last is "localhost" or "local" or "internal" or "lan" or "intranet" or "corp" or "home"
            || host.EndsWith(".home.arpa", StringComparison.Ordinal)
            ? throw Refused(text, "its host is a name of a private network")
            : host;
    }

    // Letters of any script have a punycode form; circled or full-width digits and dots only imitate an address.
    private static bool IsLetter(char c) =>
        char.GetUnicodeCategory(c)
            is UnicodeCategory.LowercaseLetter
                or UnicodeCategory.UppercaseLetter
                or UnicodeCategory.OtherLetter
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark;
}

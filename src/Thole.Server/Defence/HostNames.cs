using System.Net;
using System.Net.Sockets;

namespace Thole.Server.Defence;

/// <summary>
/// The names under which we are known. A page that made its own name lead to this machine (DNS rebinding) sends that name, and is found
/// out by it.
/// </summary>
internal sealed class HostNames
{
    private readonly HashSet<string>? _names;

    public HostNames(IPEndPoint bound, bool isSecure)
    {
        Scheme = isSecure ? "https" : "http";
        var own = Bracketed(bound.Address);
        OwnOrigin = Port(bound.Port) is "" ? $"{Scheme}://{own}" : $"{Scheme}://{own}:{bound.Port}";
        if (!IPAddress.IsLoopback(bound.Address))
        {
            return; // whatever name leads here from outside; a token is asked for in any case
        }

        _names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in new[] { "localhost", "127.0.0.1", "[::1]", own })
        {
            _names.Add($"{name}:{bound.Port}");
            if (Port(bound.Port) is "")
            {
                _names.Add(name);
            }
        }
    }

    public string Scheme { get; }

    /// <summary>The origin of a page that we served.</summary>
    public string OwnOrigin { get; }

    public bool IsOurs(string? host) => host is { Length: > 0 } && (_names?.Contains(host) ?? true);

    public static string Bracketed(IPAddress address) =>
        address.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();

    private string Port(int port) => port == (Scheme is "https" ? 443 : 80) ? "" : port.ToString();
}

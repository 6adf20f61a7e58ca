using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Thole.Tools.Web;

/// <summary>
/// Which addresses lie on the public internet, by the special-purpose registries of IANA. Everything else — this machine, its
/// network, a cloud's metadata, and IPv6 forms that only wrap an IPv4 address — is not for a model to reach.
/// </summary>
internal static class PublicAddresses
{
    public static bool Contains(IPAddress address) =>
        address.AddressFamily switch
        {
            AddressFamily.InterNetwork => ContainsV4(address),
            AddressFamily.InterNetworkV6 => ContainsV6(address),
            _ => false,
        };

    private static bool ContainsV4(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        _ = address.TryWriteBytes(bytes, out _);
        return (bytes[0], bytes[1], bytes[2], bytes[3]) switch
        {
            (0 or 10 or 127 or >= 224, _, _, _) => false,
            (100, >= 64 and <= 127, _, _) => false,
            (169, 254, _, _) => false,
            (172, >= 16 and <= 31, _, _) => false,
            (192, 168, _, _) or (192, 0, 0 or 2, _) or (192, 88, 99, _) => false,
            (198, 18 or 19, _, _) or (198, 51, 100, _) => false,
            (203, 0, 113, _) => false,
            // The platform endpoint of Azure answers every virtual machine, on an address that looks public.
            (168, 63, 129, 16) => false,
            _ => true,
        };
    }

    private static bool ContainsV6(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out _);
        var first = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var second = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);

        // Only 2000::/3 is given out as global unicast: mapped, compatible, NAT64, unique local, link local and multicast lie outside.
        return address.ScopeId == 0
            && (first & 0xE000) == 0x2000
            && (first, second) switch
            {
                (0x2001, < 0x0200) => false, // IETF assignments: Teredo, benchmarking, ORCHID
                (0x2001, 0x0DB8) => false, // documentation
                (0x2002, _) => false, // 6to4
                (0x3FFF, < 0x1000) => false, // documentation
                _ => !IsIsatap(bytes),
            };
    }

    private static bool IsIsatap(ReadOnlySpan<byte> bytes) =>
        (bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE;
}

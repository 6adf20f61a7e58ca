using System.Net;
using System.Net.Sockets;

namespace Thole.Server.Defence;

/// <summary>Counts wrong tokens by the address they came from, so that guessing is slow. A right token is never refused for them.</summary>
internal sealed class FailedAttempts(int limit, TimeProvider time)
{
    private const int MostAddresses = 1024;
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, (long Since, int Count)> _attempts = [];

    /// <summary>Notes a failure; returns how long to wait where there were too many.</summary>
    public TimeSpan? Add(IPAddress? address)
    {
        if (limit == 0)
        {
            return null;
        }

        var now = time.GetTimestamp();
        var key = Key(address);
        lock (_lock)
        {
            var (since, count) = _attempts.GetValueOrDefault(key, (now, 0));
            if (time.GetElapsedTime(since, now) >= s_window)
            {
                (since, count) = (now, 0);
            }

            if (!_attempts.ContainsKey(key) && _attempts.Count >= MostAddresses)
            {
                Forget(now);
            }

            _attempts[key] = (since, count + 1);
            return count >= limit ? s_window - time.GetElapsedTime(since, now) : null;
        }
    }

    private void Forget(long now)
    {
        foreach (var (old, attempts) in _attempts)
        {
            if (time.GetElapsedTime(attempts.Since, now) >= s_window)
            {
                _attempts.Remove(old);
            }
        }

        // More addresses than anybody has fail at once: the table must stay small, and each begins anew.
        if (_attempts.Count >= MostAddresses)
        {
            _attempts.Clear();
        }
    }

    /// <summary>Who has one IPv6 address has the whole network of 2^64.</summary>
    private static IPAddress Key(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily is not AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}

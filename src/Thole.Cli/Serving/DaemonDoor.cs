using System.Net;
using Thole.Cli.Configuration;
using Thole.Client;
using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Cli.Serving;

/// <summary>The way of our own clients into the daemon of a workspace, where one runs.</summary>
internal static class DaemonDoor
{
    /// <summary>Null where none runs. To find that out costs one file.</summary>
    /// <exception cref="UsageException">What is written of the daemon, or the token for it, cannot be used.</exception>
    /// <param name="patience">For how long a reader looks for a daemon that it has lost.</param>
    public static TholeClient? Find(Settings settings, TimeSpan patience, Action<Contact>? onContact = null) =>
        Find(settings, new ClientOptions { ReadingPatience = patience, OnContact = onContact });

    /// <param name="options">How to speak to it; where it is, and by what it is known, is added.</param>
    /// <inheritdoc cref="Find(Settings, TimeSpan, Action{Contact}?)"/>
    public static TholeClient? Find(Settings settings, ClientOptions options)
    {
        if (DaemonControl.Find(settings) is not { } daemon)
        {
            return null;
        }

        try
        {
            var token = OwnerToken.Find(
                Environment.GetEnvironmentVariable(OwnerToken.Variable),
                settings.Locations.Access,
                TimeProvider.System
            );
            return new TholeClient(
                AddressOf(daemon),
                token?.Value,
                options with
                {
                    // Only where a daemon of ours holds the lock: whoever took the port of a dead one must not see the token.
                    Locate = () => DaemonControl.Find(settings) is { } now ? AddressOf(now) : null,
                    Certificate = daemon.Certificate,
                }
            );
        }
        catch (Exception unusable) when (unusable is RefusedException or WorkspaceException)
        {
            throw new UsageException(unusable.Message, unusable);
        }
    }

    /// <summary>What the daemon said, with the cure where it is ours to name.</summary>
    public static string Explain(RefusedException refused) =>
        refused.Reason is "unauthorized"
            ? $"The daemon does not accept the token; set {OwnerToken.Variable} to the one it was started with, or to one of thole token issue."
            : refused.Message;

    /// <summary>A daemon that listens on every address is reached on this machine's own.</summary>
    private static Uri AddressOf(DaemonRecord daemon)
    {
        var address = new UriBuilder(daemon.Address);
        if (IPAddress.TryParse(address.Host, out var host))
        {
            address.Host =
                host.Equals(IPAddress.Any) ? "127.0.0.1"
                : host.Equals(IPAddress.IPv6Any) ? "[::1]"
                : address.Host;
        }

        return address.Uri;
    }
}

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Server.Tests;

/// <summary>S59, and what a connection is otherwise: encrypted, a stream, ended.</summary>
public sealed class ConnectionSpecs
{
    [Fact]
    public async Task S59_connections_above_the_cap_are_closed_and_the_others_served()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { MaxConnections = 20 });
        var kept = new List<Socket>();
        for (var number = 0; number < 20; number++)
        {
            kept.Add(await StreamAsync(daemon)); // each is served, so each counts
        }

        for (var number = 0; number < 100; number++)
        {
            using var refused = await daemon.ConnectAsync();
            Assert.Empty(await TestDaemon.ReadToEndAsync(refused));
        }

        kept[0].Dispose();
        Assert.True(await IsServedAgainAsync(daemon));
        kept.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /health HTTP/1.1\r\nX-Slow: ")]
    [InlineData("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")] // served, and then it says nothing more
    public async Task S59_who_says_nothing_or_says_it_too_slowly_gives_its_place_to_the_next(string said)
    {
        await using var daemon = await TestDaemon.StartAsync(
            new DaemonOptions
            {
                MaxConnections = 5,
                HeadTimeout = TimeSpan.FromSeconds(1),
                IdleTimeout = TimeSpan.FromSeconds(1),
            }
        );
        var held = new List<Socket>();
        for (var number = 0; number < 5; number++)
        {
            held.Add(await daemon.ConnectAsync());
            await held[^1].SendAsync(Encoding.ASCII.GetBytes(said), TestDaemon.Cancelled);
        }

        foreach (var socket in held)
        {
            await TestDaemon.ReadBytesAsync(socket); // it does end
        }

        Assert.True(await IsServedAgainAsync(daemon));
        held.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task An_event_stream_says_what_it_is_and_ends_when_the_daemon_does()
    {
        await using var daemon = await TestDaemon.StartAsync();
        using var socket = await daemon.ConnectAsync();
        await socket.SendAsync(Request(daemon, "/session/a/events"), TestDaemon.Cancelled);
        var head = await ReadUntilAsync(socket, "retry: 3000");

        Assert.Contains("Content-Type: text/event-stream", head);
        Assert.Contains("Cache-Control: no-cache, no-transform", head);
        Assert.Contains("X-Accel-Buffering: no", head);
        Assert.Contains("X-Content-Type-Options: nosniff", head);
        Assert.DoesNotContain("X-RateLimit", head);

        await daemon.StopAsync();

        await TestDaemon.ReadBytesAsync(socket); // it does end
        await Assert.ThrowsAnyAsync<SocketException>(daemon.ConnectAsync);
    }

    [Fact]
    public async Task A_stream_whose_token_is_revoked_ends_within_a_second()
    {
        var time = new ManualTime();
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions(), time: time);
        using var socket = await StreamAsync(daemon);
        using var other = await StreamAsync(daemon, FakeTokens.Observer);
        await time.TimersAsync(1, TestDaemon.Cancelled);

        daemon.Tokens.Revoke(FakeTokens.Owner);
        time.Advance(TimeSpan.FromSeconds(1));

        await TestDaemon.ReadBytesAsync(socket);
        Assert.False(other.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task A_stream_that_does_not_end_when_its_token_is_revoked_is_cut_off()
    {
        var time = new ManualTime();
        var deaf = new Operation("GET", "/session/{id}/events", "deaf", Scope.Observe, "Listens to nothing.")
        {
            Kind = ReplyKind.EventStream,
            Handle = async exchange =>
            {
                var writer = await exchange.StartEventStreamAsync();
                await writer.WriteAsync("retry: 3000\n\n"u8.ToArray(), exchange.Aborted);
                await Task.Delay(Timeout.Infinite, exchange.Aborted);
            },
        };
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions(), [deaf], time);
        using var socket = await StreamAsync(daemon);

        daemon.Tokens.Revoke(FakeTokens.Owner);
        time.Advance(TimeSpan.FromSeconds(2));

        await TestDaemon.ReadBytesAsync(socket);
    }

    [Fact]
    public async Task With_a_certificate_the_door_is_encrypted_and_the_names_are_the_same()
    {
        using var folder = new TempFolder();
        var (certificate, key) = WriteCertificate(folder);
        await using var daemon = await TestDaemon.StartAsync(
            new DaemonOptions { TlsCertificatePath = certificate, TlsKeyPath = key }
        );
        Assert.Equal("https", daemon.Address.Scheme);
        using var socket = await daemon.ConnectAsync();
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                RemoteCertificateValidationCallback = (_, offered, _, _) => offered?.Subject == "CN=thole-test",
            },
            TestDaemon.Cancelled
        );
        Assert.True(stream.SslProtocol is SslProtocols.Tls12 or SslProtocols.Tls13);

        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET /session/a HTTP/1.1\r\nHost: localhost:{daemon.Port}\r\nOrigin: https://127.0.0.1:{daemon.Port}\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nConnection: close\r\n\r\n"
            ),
            TestDaemon.Cancelled
        );
        using var reader = new StreamReader(stream);

        Assert.StartsWith("HTTP/1.1 200 OK", await reader.ReadToEndAsync(TestDaemon.Cancelled));
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_none()
    {
        using var folder = new TempFolder();
        var (certificate, key) = WriteCertificate(folder);
        var other = folder.Write("other.pem", RSA.Create(2048).ExportPkcs8PrivateKeyPem());
        (string?, string?)[] unusable =
        [
            (certificate, null),
            (null, key),
            (certificate, certificate),
            (certificate, other),
            (certificate, "/nowhere"),
            ("/nowhere", key),
        ];
        foreach (var (first, second) in unusable)
        {
            var refused = await Assert.ThrowsAsync<CannotListenException>(() =>
                TestDaemon.StartAsync(new DaemonOptions { TlsCertificatePath = first, TlsKeyPath = second })
            );
            Assert.Contains("--tls-key", refused.Message);
        }
    }

    private static (string Certificate, string Key) WriteCertificate(TempFolder folder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=thole-test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (
            folder.Write("cert.pem", certificate.ExportCertificatePem()),
            folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem())
        );
    }

    private static async Task<Socket> StreamAsync(TestDaemon daemon, string token = FakeTokens.Owner)
    {
        var socket = await daemon.ConnectAsync();
        await socket.SendAsync(Request(daemon, "/session/a/events", token), TestDaemon.Cancelled);
        await ReadUntilAsync(socket, "retry: 3000");
        return socket;
    }

    /// <summary>That one has left is noticed soon, not at once.</summary>
    private static async Task<bool> IsServedAgainAsync(TestDaemon daemon)
    {
        for (var attempt = 0; attempt < 10_000; attempt++)
        {
            using var socket = await daemon.ConnectAsync();
            try
            {
                await socket.SendAsync(Request(daemon, "/session/a"), TestDaemon.Cancelled);
            }
            catch (SocketException)
            {
                continue; // closed already
            }

            if (await TestDaemon.ReadToEndAsync(socket) is [{ Status: 200 }])
            {
                return true;
            }
        }

        return false;
    }

    private static byte[] Request(TestDaemon daemon, string target, string token = FakeTokens.Owner) =>
        Encoding.ASCII.GetBytes(
            $"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.Port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );

    private static async Task<string> ReadUntilAsync(Socket socket, string text)
    {
        var read = "";
        var buffer = new byte[4096];
        while (!read.Contains(text))
        {
            var count = await socket.ReceiveAsync(buffer, TestDaemon.Cancelled);
            Assert.True(count > 0, read);
            read += Encoding.UTF8.GetString(buffer, 0, count);
        }

        return read;
    }
}

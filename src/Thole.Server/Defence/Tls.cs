using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Thole.Server.Defence;

/// <summary>Encrypts a listener with a certificate from PEM files.</summary>
internal sealed class Tls : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain = [];
    private readonly ServiceProvider _services;

    private Tls(string certificatePath, string keyPath)
    {
        using var read = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        // Windows does not find a key that was never in a store, or in such a file.
        _certificate = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), password: null);
        _chain.ImportFromPemFile(certificatePath);
        _services = MakeParts();
    }

    /// <summary>Null where neither file is named.</summary>
    /// <exception cref="CannotListenException">One file without the other, or what is in them is no certificate with its key.</exception>
    public static Tls? Load(DaemonOptions options)
    {
        if (options.TlsCertificatePath is null && options.TlsKeyPath is null)
        {
            return null;
        }

        if (options.TlsCertificatePath is not { } certificate || options.TlsKeyPath is not { } key)
        {
            throw new CannotListenException(
                "TLS needs both files: name the certificate with --tls-cert and its key with --tls-key."
            );
        }

        try
        {
            return new Tls(certificate, key);
        }
        catch (Exception unusable)
            when (unusable is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CannotListenException(
                $"'{certificate}' and '{key}' are no certificate with its key in PEM form ({unusable.Message.TrimEnd('.')}); name others with --tls-cert and --tls-key.",
                unusable
            );
        }
    }

    public void Use(KestrelServerOptions settings, ListenOptions listen)
    {
        settings.ApplicationServices = _services;
        listen.UseHttps(
            new HttpsConnectionAdapterOptions
            {
                ServerCertificate = _certificate,
                ServerCertificateChain = _chain,
                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                HandshakeTimeout = TimeSpan.FromSeconds(10),
            }
        );
    }

    public void Dispose()
    {
        _services.Dispose();
        _certificate.Dispose();
    }

    /// <summary>The parts that the web server's encryption takes from the framework's host, of which we have none otherwise.</summary>
    private static ServiceProvider MakeParts()
    {
        var host = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        host.Services.AddLogging().AddMetrics();
        host.WebHost.UseKestrelCore();
        return host.Services.BuildServiceProvider();
    }
}

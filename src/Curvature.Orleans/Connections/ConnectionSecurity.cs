using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace Curvature;

/// <summary>TLS, and within it the secret, on every connection between silos.</summary>
internal static class ConnectionSecurity
{
    internal static void Secure(this ISiloBuilder silo, OrleansOptions options)
    {
        // What is added first stands outside.
        if (options is { Certificate: { } certificate, Authority: { } authority })
            silo.UseTls(certificate, tls => RequireAuthority(tls, authority));

        silo.Services.AddSingleton(services => new SharedSecret(
            options.Secret ?? options.ClusterName,
            services.GetRequiredService<ILoggerFactory>().CreateLogger("Curvature.Connections")));
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<SharedSecret>((connections, secret) =>
        {
            connections.ConfigureSiloInboundConnection(builder => builder.Use(secret.Inbound));
            connections.ConfigureSiloOutboundConnection(builder => builder.Use(secret.Outbound));
            connections.ConfigureGatewayInboundConnection(builder => builder.Use(secret.Inbound));
        });
    }

    /// <summary>Both sides show a certificate, and the authority signed it.</summary>
    private static void RequireAuthority(TlsOptions tls, X509Certificate2 authority)
    {
        tls.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.OnAuthenticateAsClient = (_, client) => client.TargetHost = "curvature";
        tls.RemoteCertificateValidation = (certificate, _, errors) =>
            !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) && IsSignedBy(certificate, authority);
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}

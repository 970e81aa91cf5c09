using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Curvature;

/// <summary>A silo of this process: one that serves shards, or the driver's, which does not.</summary>
internal sealed class SiloHost : IAsyncDisposable
{
    private const string WorkerPrefix = "worker ";
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private readonly IHost _host;

    private SiloHost(IHost host, OrleansOptions options)
    {
        _host = host;
        Options = options;
        Oracle = host.Services.GetRequiredService<ISiloStatusOracle>();
        Deaths = host.Services.GetRequiredService<SiloDeaths>();
        Calls = host.Services.GetRequiredService<SumCalls>();
    }

    internal OrleansOptions Options { get; }

    internal ISiloStatusOracle Oracle { get; }

    internal SiloDeaths Deaths { get; }

    internal SumCalls Calls { get; }

    /// <summary>The addresses of the workers that are there, in an order that does not change.</summary>
    internal SiloAddress[] Workers =>
    [
        .. Oracle.GetApproximateSiloStatuses(true)
            .Where(silo =>
                silo.Value == SiloStatus.Active
                && NameOf(silo.Key).StartsWith(WorkerPrefix, StringComparison.Ordinal))
            .Select(silo => silo.Key)
            .OrderBy(silo => NameOf(silo), StringComparer.Ordinal)
            .ThenBy(silo => silo),
    ];

    internal static string WorkerName(string name) => WorkerPrefix + name;

    internal string NameOf(SiloAddress silo) => Oracle.TryGetSiloName(silo, out var name) ? name : silo.ToString();

    /// <summary>Starts a silo. It serves where there are shards to serve.</summary>
    internal static async Task<SiloHost> Start(
        string name, OrleansOptions options, Action<ISiloBuilder> clustering, ServedShards? served)
    {
        options.RequireSafety("Curvature.Orleans");
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging
            .AddProvider(new LineLog(options.Log))
            .SetMinimumLevel(LogLevel.Critical)
            .AddFilter("Curvature", LogLevel.Information)
            .AddFilter("Orleans.Runtime.Messaging.NetworkingTrace", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        builder.UseOrleans(silo =>
        {
            clustering(silo);
            silo.Configure<SiloOptions>(o => o.SiloName = name);
            silo.Configure<global::Orleans.Configuration.ClusterOptions>(
                o => (o.ClusterId, o.ServiceId) = (options.ClusterName, "curvature"));
            silo.Configure<EndpointOptions>(o =>
            {
                (o.AdvertisedIPAddress, o.SiloPort) = (options.Endpoint.Address, options.Endpoint.Port);
                (o.SiloListeningEndpoint, o.GatewayPort) = (options.Endpoint, 0);
            });
            silo.Configure<SiloMessagingOptions>(o => Lengthen(o, options));
            silo.Configure<ConnectionOptions>(o => o.OpenConnectionTimeout = TimeSpan.FromSeconds(20));
            silo.Configure<ClusterMembershipOptions>(o => Watch(o, options.SilenceTimeout));
            silo.Secure(options);
            silo.Services.AddPlacementDirector<OnSilo, OnSiloDirector>();
            silo.Services.AddSingleton<SiloDeaths>();
            silo.Services.AddSingleton<SumCalls>();
            if (served is not null)
                silo.Services.AddSingleton(served);
        });

        var host = builder.Build();
        try
        {
            await host.StartAsync().ConfigureAwait(false);
            return new SiloHost(host, options);
        }
        catch (Exception error)
        {
            host.Dispose();
            throw Fail.Cluster(
                $"a silo could not start at {options.Endpoint}: {error.GetBaseException().Message}", error);
        }
    }

    /// <summary>A port of loopback that is free now.</summary>
    internal static int FreePort(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Tells all silos that one is dead.</summary>
    internal async Task Bury(SiloAddress silo)
    {
        Deaths.Declare(silo);
        await _host.Services.GetRequiredService<IClusterMembershipService>().TryKill(silo).ConfigureAwait(false);
    }

    internal Task WaitForShutdown(CancellationToken cancellation) => _host.WaitForShutdownAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        try
        {
            await _host.StopAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or OrleansException or AggregateException)
        {
            Options.Log($"curvature: a silo did not stop in order: {error.Message}");
        }

        _host.Dispose();
    }

    /// <summary>Sums may take days: whether a worker still is at work on one is asked apart.</summary>
    private static void Lengthen(SiloMessagingOptions messaging, OrleansOptions options)
    {
        messaging.MaxMessageBodySize = options.LargestMessage > int.MaxValue - (1 << 20)
            ? int.MaxValue
            : options.LargestMessage + (1 << 20);
        messaging.ResponseTimeout = TimeSpan.FromDays(20);
        messaging.MaxRequestProcessingTime = TimeSpan.FromDays(20);
        messaging.CancelRequestOnTimeout = false;
    }

    private static void Watch(ClusterMembershipOptions membership, TimeSpan silence)
    {
        var probe = TimeSpan.FromSeconds(Math.Max(0.5, silence.TotalSeconds / 3));
        (membership.ProbeTimeout, membership.NumMissedProbesLimit) = (probe, 3);
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(Math.Clamp(silence.TotalSeconds / 3, 1, 60));

        // A silo joins where it reaches all others. On a busy machine that lasts, and nobody evicts it for that.
        membership.MaxJoinAttemptTime = TimeSpan.FromMinutes(5) + silence;
        membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
    }
}

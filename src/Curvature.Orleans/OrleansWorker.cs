using System.Globalization;
using System.Net;

namespace Curvature;

/// <summary>Processes that serve the shards of registered risks to drivers.</summary>
public static class OrleansWorker
{
    /// <summary>What tells a process that a local cluster started it, and how it finds the others.</summary>
    internal const string Variable = "CURVATURE_ORLEANS_WORKER";

    /// <summary>
    /// In a process that <see cref="OrleansCluster.Local(int)"/> started, serves the shards until the driver ends, and
    /// then ends the process; elsewhere it returns at once. To be called as soon as all risks are registered.
    /// </summary>
    public static void ServeIfStarted(Shards shards)
    {
        ArgumentNullException.ThrowIfNull(shards);
        if (Environment.GetEnvironmentVariable(Variable) is not { } start)
            return;

        // The driver holds the other end: it says the secret there, and its end is the end of this process.
        var secret = Console.In.ReadLine() ?? throw Fail.Cluster("the driver that started this worker is gone");
        using var driverIsGone = new CancellationTokenSource();
        var watch = new Thread(() =>
        {
            while (Console.In.Read() >= 0)
            {
            }

            // Nothing is kept here that could be lost.
            Environment.Exit(0);
        })
        {
            IsBackground = true,
            Name = "driver's end",
        };
        watch.Start();

        var local = LocalStart.Parse(start);
        Run(shards, local.Options(secret), local.Clustering, SiloHost.WorkerName(local.Number), driverIsGone.Token)
            .GetAwaiter().GetResult();
        Environment.Exit(0);
    }

    /// <summary>
    /// Serves the shards as a silo of a cluster, found by the options' clustering provider, until the process is told
    /// to end or `cancellation` is cancelled. The program registers the same risks as the driver's before.
    /// Raises ClusterException where the silo cannot join, and for an endpoint beyond loopback without a secret and
    /// TLS.
    /// </summary>
    public static void Serve(Shards shards, OrleansOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(shards);
        ArgumentNullException.ThrowIfNull(options);
        var clustering = options.Clustering ?? throw Fail.Cluster(
            "OrleansWorker.Serve: silos find each other by a clustering provider; WithClustering takes one");
        var placed = options.Endpoint.Port == 0
            ? options.WithEndpoint(options.Endpoint.Address, SiloHost.FreePort(options.Endpoint.Address))
            : options;
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}-{placed.Endpoint.Port}");
        Run(shards, placed, clustering, SiloHost.WorkerName(name), cancellation).GetAwaiter().GetResult();
    }

    private static async Task Run(
        Shards shards,
        OrleansOptions options,
        Action<ISiloBuilder> clustering,
        string name,
        CancellationToken cancellation)
    {
        var served = new ServedShards(new ShardServer(shards, options.LargestMessage), options.LargestMessage);
        var silo = await SiloHost.Start(name, options, clustering, served).ConfigureAwait(false);
        await using var _ = silo.ConfigureAwait(false);
        options.Log($"curvature: {name} serves at {options.Endpoint}");
        await silo.WaitForShutdown(cancellation).ConfigureAwait(false);
    }
}

/// <summary>What a process of a local cluster is told when it starts.</summary>
internal sealed record LocalStart(
    string Number, string ClusterName, int Port, int PrimaryPort, int LargestMessage, double Silence)
{
    internal static LocalStart Parse(string text)
    {
        var parts = text.Split(';');
        if (parts.Length != 6)
            throw Fail.Cluster($"{OrleansWorker.Variable} is '{text}', which no driver of this version wrote");
        int Int(int i) => int.Parse(parts[i], CultureInfo.InvariantCulture);
        return new LocalStart(
            parts[0], parts[1], Int(2), Int(3), Int(4), double.Parse(parts[5], CultureInfo.InvariantCulture));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Number};{ClusterName};{Port};{PrimaryPort};{LargestMessage};{Silence:R}");

    internal OrleansOptions Options(string secret) => OrleansOptions.Default
        .WithClusterName(ClusterName)
        .WithSecret(secret)
        .WithEndpoint(IPAddress.Loopback, Port)
        .WithLargestMessage(LargestMessage)
        .WithSilenceTimeout(TimeSpan.FromSeconds(Silence));

    internal void Clustering(ISiloBuilder silo) =>
        silo.UseDevelopmentClustering(new IPEndPoint(IPAddress.Loopback, PrimaryPort));
}

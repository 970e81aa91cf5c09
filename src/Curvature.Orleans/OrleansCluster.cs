using System.Net;
using System.Security.Cryptography;

namespace Curvature;

/// <summary>
/// A driver's side of a cluster of Orleans: its workers answer questions over groups of batches, put partial sums
/// together among themselves, and take over the groups of those that die or are slow. Results have the same bits
/// whatever happens to workers. To be disposed.
/// </summary>
public sealed class OrleansCluster : ICluster
{
    private readonly SiloHost _silo;
    private readonly WorkerRoster _roster;
    private readonly SumRun _sums;
    private readonly IReadOnlyList<WorkerProcess> _processes;

    private OrleansCluster(SiloHost silo, IReadOnlyList<WorkerProcess> processes)
    {
        _silo = silo;
        _processes = processes;
        _roster = new WorkerRoster(silo);
        _sums = new SumRun(silo, _roster);
    }

    /// <summary>What it is called in messages.</summary>
    public string Name => $"{Workers} workers of Orleans";

    /// <summary>How many workers may be asked now.</summary>
    public int Workers => _roster.Ready.Length;

    /// <summary>How many bytes have gone between processes for questions and answers.</summary>
    public long BytesMoved => _sums.BytesMoved;

    /// <summary>The numbers of the processes that a local cluster started and that run.</summary>
    public IReadOnlyList<int> ProcessIds =>
        [.. _processes.Where(process => process.IsRunning).Select(process => process.Id)];

    /// <summary>
    /// Starts processes of this machine that run this program again, each of which serves from its call of
    /// <see cref="OrleansWorker.ServeIfStarted"/> on, and ends with this process. Listens on loopback alone, behind a
    /// random secret. Raises ClusterException where a process ends before it serves, and ArgumentRangeException for
    /// less than one worker.
    /// </summary>
    public static OrleansCluster Local(int workers) => Local(workers, OrleansOptions.Default);

    /// <summary>The same, with options. Their endpoint, clustering, secret and TLS are not used.</summary>
    public static OrleansCluster Local(int workers, OrleansOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (workers < 1)
            throw Fail.Range($"OrleansCluster.Local: a cluster has one worker or more, and {workers} were asked for");
        if (Environment.GetEnvironmentVariable(OrleansWorker.Variable) is not null)
        {
            throw Fail.Cluster(
                "OrleansCluster.Local: a worker of a local cluster came here; call OrleansWorker.ServeIfStarted "
                + "before");
        }

        return Task.Run(() => StartLocal(workers, options)).GetAwaiter().GetResult();
    }

    /// <summary>
    /// Joins a cluster as its driver, by the options' clustering provider, and waits for workers. Raises
    /// ClusterException where too few come in time, and for an endpoint beyond loopback without a secret and TLS.
    /// </summary>
    public static OrleansCluster Connect(OrleansOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var clustering = options.Clustering ?? throw Fail.Cluster(
            "OrleansCluster.Connect: silos find each other by a clustering provider; WithClustering takes "
            + "one, and OrleansCluster.Local starts workers of this machine without");
        return Task.Run(() => Join(options, clustering)).GetAwaiter().GetResult();
    }

    /// <summary>Sends a message to every worker; gives the answers of those that answer.</summary>
    public byte[][] Broadcast(byte[] message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Task.Run(() => BroadcastAsync(message)).GetAwaiter().GetResult();
    }

    /// <summary>Has a question answered for all groups, each exactly once, by whichever workers are there.</summary>
    public byte[] Sum(byte[] point, byte[] question, int groups)
    {
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(question);
        foreach (var message in new[] { point, question })
        {
            if (message.Length > _silo.Options.LargestMessage)
            {
                throw Fail.Cluster(
                    $"a message has {message.Length} bytes, and messages at most {_silo.Options.LargestMessage}; take "
                    + "smaller blocks of vectors, or OrleansOptions.WithLargestMessage");
            }
        }

        return Task.Run(() => _sums.Sum(point, question, groups)).GetAwaiter().GetResult();
    }

    /// <summary>Ends the processes that were started, and leaves the cluster.</summary>
    public void Dispose()
    {
        foreach (var process in _processes)
            process.Dispose();
        Task.Run(async () => await _silo.DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
    }

    /// <summary>What it is.</summary>
    public override string ToString() => Name;

    private static async Task<OrleansCluster> StartLocal(int workers, OrleansOptions options)
    {
        var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var port = SiloHost.FreePort(IPAddress.Loopback);
        var name = $"curvature-{Environment.ProcessId}-{port}";
        LocalStart Start(int number, int ownPort) => new(
            $"{number}", name, ownPort, port, options.LargestMessage, options.SilenceTimeout.TotalSeconds);

        var driver = Start(0, port);
        var placed = options.WithClusterName(name).WithSecret(secret).WithEndpoint(IPAddress.Loopback, port) with
        {
            Certificate = null,
            Authority = null,
            Clustering = driver.Clustering,
        };
        var silo = await SiloHost.Start("driver", placed, driver.Clustering, null).ConfigureAwait(false);
        var processes = new List<WorkerProcess>();
        var cluster = new OrleansCluster(silo, processes);
        try
        {
            for (var number = 1; number <= workers; number++)
                processes.Add(new WorkerProcess(Start(number, SiloHost.FreePort(IPAddress.Loopback)), secret, placed));
            foreach (var process in processes)
                process.Exited += cluster.Bury;

            cluster._roster.NoneCanCome = () => processes.Find(process => !process.IsRunning)?.LastWords;
            await cluster._roster.Wait(workers).ConfigureAwait(false);
            cluster._roster.NoneCanCome = () => processes.Exists(process => process.IsRunning)
                ? null
                : $"all {workers} processes have ended";
            return cluster;
        }
        catch (ClusterException)
        {
            cluster.Dispose();
            throw;
        }
    }

    private static async Task<OrleansCluster> Join(OrleansOptions options, Action<ISiloBuilder> clustering)
    {
        var placed = options.Endpoint.Port == 0
            ? options.WithEndpoint(options.Endpoint.Address, SiloHost.FreePort(options.Endpoint.Address))
            : options;
        var name = $"driver {Environment.MachineName}-{Environment.ProcessId}";
        var host = await SiloHost.Start(name, placed, clustering, null).ConfigureAwait(false);
        var cluster = new OrleansCluster(host, []);
        try
        {
            await cluster._roster.Wait(options.LeastWorkers).ConfigureAwait(false);
            return cluster;
        }
        catch (ClusterException)
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>A process that has ended is dead for all silos at once.</summary>
    private void Bury(WorkerProcess process)
    {
        foreach (var worker in _silo.Workers.Where(worker => _silo.NameOf(worker) == process.Name))
            SumCalls.Ignore(Task.Run(() => _silo.Bury(worker)));
    }

    private async Task<byte[][]> BroadcastAsync(byte[] message)
    {
        var workers = await _roster.Wait(1).ConfigureAwait(false);
        var answers = await _sums.AskAll(workers, message, 0).ConfigureAwait(false);
        var given = answers.Select(answer => answer.Answer).ToArray();
        if (given.Length == 0)
            throw Fail.Cluster($"none of {workers.Length} workers answered");
        _roster.Agreed(message, given);
        return given;
    }
}

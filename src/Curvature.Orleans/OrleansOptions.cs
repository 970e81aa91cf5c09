using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Curvature;

/// <summary>
/// How a silo finds the others, what it demands of them, and how long it waits for them. Immutable; every With-method
/// gives a changed copy. Driver and workers of a cluster take the same options, but for their endpoints.
/// </summary>
public sealed record OrleansOptions
{
    private OrleansOptions()
    {
    }

    /// <summary>
    /// Loopback alone, a free port, no clustering provider, messages of at most 1 GiB; a worker is taken over where it
    /// needs five times as long as another and 10 seconds, and the run ends with an error where there has been no
    /// worker for a minute.
    /// </summary>
    public static OrleansOptions Default { get; } = new();

    /// <summary>The name of the cluster: silos of other clusters are strangers.</summary>
    public string ClusterName { get; internal init; } = "curvature";

    /// <summary>Where the silo listens, and under which address others reach it. Port 0 stands for a free
    /// one.</summary>
    public IPEndPoint Endpoint { get; internal init; } = new(IPAddress.Loopback, 0);

    /// <summary>What tells silos of each other; null for local clusters.</summary>
    public Action<ISiloBuilder>? Clustering { get; internal init; }

    /// <summary>What all silos of the cluster know, and nobody else; null for none.</summary>
    public string? Secret { get; internal init; }

    /// <summary>The certificate of this silo, with its private key; null for connections without TLS.</summary>
    public X509Certificate2? Certificate { get; internal init; }

    /// <summary>The certificate that signed those of all silos.</summary>
    public X509Certificate2? Authority { get; internal init; }

    /// <summary>Whether silos may listen beyond loopback without a secret and TLS.</summary>
    public bool AllowsStrangers { get; internal init; }

    /// <summary>The most bytes that a message may have.</summary>
    public int LargestMessage { get; internal init; } = 1 << 30;

    /// <summary>How many workers there must be before a driver begins.</summary>
    public int LeastWorkers { get; internal init; } = 1;

    /// <summary>How long a driver waits for workers: for the first ones, and where all are gone.</summary>
    public TimeSpan WorkerTimeout { get; internal init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a silo may be silent before the others declare it dead.</summary>
    public TimeSpan SilenceTimeout { get; internal init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many times as long as another a worker may need before its groups are given away.</summary>
    public double TakeoverFactor { get; internal init; } = 5.0;

    /// <summary>How long a worker may need in any case before its groups are given away.</summary>
    public TimeSpan TakeoverLeast { get; internal init; } = TimeSpan.FromSeconds(10);

    /// <summary>Who is told, in lines, of refused connections, dead workers, and what workers print.</summary>
    public Action<string> Log { get; internal init; } = Console.Error.WriteLine;

    /// <summary>The program that a local cluster starts, with its arguments; null for the program of this
    /// process.</summary>
    public IReadOnlyList<string>? Program { get; internal init; }

    /// <summary>Another name of the cluster.</summary>
    public OrleansOptions WithClusterName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return this with { ClusterName = name };
    }

    /// <summary>
    /// Listens at an address of this machine, which others must reach. Beyond loopback, a silo starts only with a
    /// secret and TLS, or after <see cref="WithStrangers"/>.
    /// </summary>
    public OrleansOptions WithEndpoint(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (port is < 0 or > 65535)
            throw Fail.Range($"OrleansOptions.WithEndpoint: a port is between 0 and 65535, and {port} is not");
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            throw Fail.Range($"OrleansOptions.WithEndpoint: others cannot reach a silo at {address}; name one address");
        return this with { Endpoint = new IPEndPoint(address, port) };
    }

    /// <summary>
    /// Silos find each other by a clustering provider of Orleans, such as <c>silo => silo.UseRedisClustering(…)</c>.
    /// </summary>
    public OrleansOptions WithClustering(Action<ISiloBuilder> clustering)
    {
        ArgumentNullException.ThrowIfNull(clustering);
        return this with { Clustering = clustering };
    }

    /// <summary>
    /// Every connection begins with a proof, on both sides, that the other side knows the secret; it is not sent. It
    /// has 16 characters or more.
    /// </summary>
    public OrleansOptions WithSecret(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Length < 16)
        {
            throw Fail.Range(
                $"OrleansOptions.WithSecret: a secret has 16 characters or more, and this one {secret.Length}; take "
                + "random ones, such as those of `openssl rand -hex 32`");
        }

        return this with { Secret = secret };
    }

    /// <summary>
    /// Every connection is encrypted, and both sides must show a certificate that this authority signed. Names in the
    /// certificates are not compared.
    /// </summary>
    public OrleansOptions WithTls(X509Certificate2 certificate, X509Certificate2 authority)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(authority);
        if (!certificate.HasPrivateKey)
            throw Fail.Range("OrleansOptions.WithTls: the certificate of a silo needs its private key, and has none");
        return this with { Certificate = certificate, Authority = authority };
    }

    /// <summary>
    /// Lets a silo listen beyond loopback without a secret or without TLS: whoever reaches the port may send it
    /// messages or read along. For networks that nobody else uses.
    /// </summary>
    public OrleansOptions WithStrangers() => this with { AllowsStrangers = true };

    /// <summary>Messages of at most so many bytes. A product with a block of vectors is one message.</summary>
    public OrleansOptions WithLargestMessage(int bytes)
    {
        if (bytes < 1 << 16)
            throw Fail.Range($"OrleansOptions.WithLargestMessage: a limit is 65536 bytes or more, and {bytes} is less");
        return this with { LargestMessage = bytes };
    }

    /// <summary>
    /// A driver begins with so many workers, and waits so long for them; it waits as long where all workers are gone.
    /// </summary>
    public OrleansOptions WithWorkers(int least, TimeSpan timeout)
    {
        if (least < 1)
        {
            throw Fail.Range(
                $"OrleansOptions.WithWorkers: a driver needs one worker or more, and {least} were asked for");
        }

        return this with { LeastWorkers = least, WorkerTimeout = Positive(timeout, nameof(WithWorkers)) };
    }

    /// <summary>
    /// Silos declare another dead that has not answered for so long. Shorter times find dead machines sooner, and take
    /// busy ones for dead.
    /// </summary>
    public OrleansOptions WithSilenceTimeout(TimeSpan timeout) =>
        this with { SilenceTimeout = Positive(timeout, nameof(WithSilenceTimeout)) };

    /// <summary>
    /// The groups of a worker are given to others where it has needed `factor` times as long as another for about as
    /// many groups, and `least` more. What it answers later is not used.
    /// </summary>
    public OrleansOptions WithTakeover(double factor, TimeSpan least)
    {
        if (!(factor >= 1.0 && double.IsFinite(factor)))
            throw Fail.Range($"OrleansOptions.WithTakeover: a factor is 1 or more, and {factor} is not");
        return this with { TakeoverFactor = factor, TakeoverLeast = Positive(least, nameof(WithTakeover)) };
    }

    /// <summary>Tells somebody of refused connections, dead workers, and what workers print, in lines.</summary>
    public OrleansOptions WithLog(Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        return this with { Log = log };
    }

    /// <summary>
    /// Local clusters start this program. It must register the same risks, and call
    /// <see cref="OrleansWorker.ServeIfStarted"/>.
    /// </summary>
    public OrleansOptions WithProgram(string file, params string[] arguments)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(file);
        ArgumentNullException.ThrowIfNull(arguments);
        return this with { Program = [file, .. arguments] };
    }

    /// <summary>Raises where a silo with these options would let strangers in.</summary>
    internal void RequireSafety(string name)
    {
        if (IPAddress.IsLoopback(Endpoint.Address)
            || AllowsStrangers
            || (Secret is not null && Certificate is not null))
        {
            return;
        }

        throw Fail.Cluster(
            $"{name}: a silo at {Endpoint.Address} is reached from other machines, so it needs WithSecret and WithTls; "
            + "on a network that nobody else uses, WithStrangers lets it start without them");
    }

    private static TimeSpan Positive(TimeSpan time, string name) =>
        time > TimeSpan.Zero && time < TimeSpan.FromDays(20)
            ? time
            : throw Fail.Range($"OrleansOptions.{name}: a time is positive and under 20 days, and {time} is not");
}

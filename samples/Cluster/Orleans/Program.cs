// The trace of the Hessian of a network's loss over handwritten digits, its five largest eigenvalues, and the density
// of its spectrum, from workers that each have a part of the data.
//
//     dotnet run -c Release --project samples/Cluster/Orleans [-- DIGITS.csv.gz]
//
// Three workers are started on this machine. As a worker or driver of a cluster of machines that find each other by
// Redis, and trust each other by a secret and certificates:
//
//     dotnet run -c Release --project samples/Cluster/Orleans -- worker ADDRESS REDIS
//     dotnet run -c Release --project samples/Cluster/Orleans -- driver ADDRESS REDIS
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Curvature;
using Curvature.CSharp;
using Curvature.Samples.Cluster;
using Microsoft.Extensions.Hosting;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var isMachine = args is ["worker" or "driver", _, _];
var shards = Digits.Register(isMachine ? null : args.FirstOrDefault());
OrleansWorker.ServeIfStarted(shards);

if (args is ["worker", ..])
{
    OrleansWorker.Serve(shards, Machine(args[1], args[2]));
    return;
}

using var cluster = isMachine ? OrleansCluster.Connect(Machine(args[1], args[2])) : OrleansCluster.Local(3);
Console.WriteLine($"{cluster.Name} serve {shards}");

var risk = cluster.Connect(shards).Risk("digits");
var hessian = risk.Hessian(Digits.Theta);

var trace = hessian.EstimateTrace(StoppingRule.RelativeError(0.05).OrElse(StoppingRule.Matvecs(400)), Key.OfSeed(3));
Console.WriteLine($"trace         {trace}");

var pairs = hessian.ThickRestartLanczos(SpectrumEnd.Largest, 5);
Console.WriteLine($"eigenvalues   {string.Join("  ", pairs.Values.Select(value => $"{value:G6}"))}");

var density = hessian.StochasticLanczos(probes: 4, steps: 30).Density(Smoothing.Papyan);
var peak = density.Grid[Array.IndexOf(density.Values, density.Values.Max())];
Console.WriteLine($"density       highest at {peak:G3}, from {density.Grid[0]:G3} to {density.Grid[^1]:G3}");

var local = shards.Local("digits").Hessian(Digits.Theta);
var here = local.EstimateTrace(StoppingRule.RelativeError(0.05).OrElse(StoppingRule.Matvecs(400)), Key.OfSeed(3));
Console.WriteLine($"the same bits as one process: {here.Value.Equals(trace.Value)}");
Console.WriteLine($"bytes moved   {cluster.BytesMoved:N0}");

static OrleansOptions Machine(string address, string redis) =>
    OrleansOptions.Default
        .WithClusterName("digits")
        .WithEndpoint(IPAddress.Parse(address), 0)
        .WithClustering(silo => silo.UseRedisClustering(redis))
        .WithSecret(File.ReadAllText("/run/secrets/cluster").Trim())
        .WithTls(
            X509CertificateLoader.LoadPkcs12FromFile("/run/secrets/silo.pfx", null),
            X509CertificateLoader.LoadCertificateFromFile("/run/secrets/authority.pem"));

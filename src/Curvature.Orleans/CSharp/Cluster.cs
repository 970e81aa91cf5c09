using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Risks over shards for C#: registering them by name, as every process of a cluster does, and asking for them
/// on the workers of a cluster.</summary>
public static class Cluster
{
    /// <inheritdoc cref="FSharp.LocalCluster.start"/>
    public static ICluster InThisProcess(int workers, Shards shards)
    {
        ArgumentNullException.ThrowIfNull(shards);
        return FSharp.LocalCluster.start(workers, shards);
    }

    /// <inheritdoc cref="FSharp.Driver.connectWith"/>
    public static Driver Connect(this ICluster cluster, Shards shards, ClusterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(shards);
        return FSharp.Driver.connectWith(options ?? ClusterOptions.Default, shards, cluster);
    }

    /// <inheritdoc cref="FSharp.Driver.risk"/>
    public static EmpiricalRisk Risk(this Driver driver, string name)
    {
        ArgumentNullException.ThrowIfNull(driver);
        ArgumentNullException.ThrowIfNull(name);
        return FSharp.Driver.risk(name, driver);
    }

    /// <inheritdoc cref="FSharp.Risk.withGroups"/>
    public static EmpiricalRisk WithGroups(
        this EmpiricalRisk risk, int groups, Func<int, IEnumerable<Batch>> batchesOf)
    {
        ArgumentNullException.ThrowIfNull(risk);
        ArgumentNullException.ThrowIfNull(batchesOf);
        return FSharp.Risk.withGroups(groups, FuncConvert.FromFunc(batchesOf), risk);
    }

    extension(Shards)
    {
        /// <inheritdoc cref="FSharp.Shards.empty"/>
        public static Shards Empty => FSharp.Shards.empty;
    }

    extension(Shards shards)
    {
        /// <inheritdoc cref="FSharp.Shards.register"/>
        public Shards Register(
            string name, int groups, Func<int, IEnumerable<Batch>> batchesOf, Func<Batch, Tensor, Tensor> loss)
        {
            ArgumentNullException.ThrowIfNull(shards);
            ArgumentNullException.ThrowIfNull(name);
            ArgumentNullException.ThrowIfNull(batchesOf);
            ArgumentNullException.ThrowIfNull(loss);
            return FSharp.Shards.register(
                name, groups, FuncConvert.FromFunc(batchesOf), FuncConvert.FromFunc(loss), shards);
        }

        /// <inheritdoc cref="FSharp.Shards.registerRisk"/>
        public Shards Register(string name, EmpiricalRisk risk)
        {
            ArgumentNullException.ThrowIfNull(shards);
            ArgumentNullException.ThrowIfNull(name);
            ArgumentNullException.ThrowIfNull(risk);
            return FSharp.Shards.registerRisk(name, risk, shards);
        }

        /// <inheritdoc cref="FSharp.Shards.local"/>
        public EmpiricalRisk Local(string name)
        {
            ArgumentNullException.ThrowIfNull(shards);
            ArgumentNullException.ThrowIfNull(name);
            return FSharp.Shards.local(name, shards);
        }
    }
}

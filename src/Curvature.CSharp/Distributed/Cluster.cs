namespace Curvature.CSharp;

/// <summary>Risks over shards: registering them by name, as every process of a cluster does, and asking for them on the
/// workers of a cluster.</summary>
public static class Cluster
{
    /// <inheritdoc cref="FSharp.LocalCluster.start"/>
    public static ICluster InThisProcess(int workers, Shards shards) =>
        FSharp.LocalCluster.start(workers, shards.NotNull());

    extension(Shards)
    {
        /// <inheritdoc cref="FSharp.Shards.empty"/>
        public static Shards Empty => FSharp.Shards.empty;
    }

    extension(Shards shards)
    {
        /// <inheritdoc cref="FSharp.Shards.register"/>
        public Shards Register(
            string name, int groups, Func<int, IEnumerable<Batch>> batchesOf, Func<Batch, Tensor, Tensor> loss) =>
            FSharp.Shards.register(name.NotNull(), groups, batchesOf.ToFSharp(), loss.ToFSharp(), shards.NotNull());

        /// <inheritdoc cref="FSharp.Shards.registerRisk"/>
        public Shards Register(string name, EmpiricalRisk risk) =>
            FSharp.Shards.registerRisk(name.NotNull(), risk.NotNull(), shards.NotNull());

        /// <inheritdoc cref="FSharp.Shards.local"/>
        public EmpiricalRisk Local(string name) => FSharp.Shards.local(name.NotNull(), shards.NotNull());
    }

    /// <inheritdoc cref="FSharp.Driver.connectWith"/>
    public static Driver Connect(this ICluster cluster, Shards shards, ClusterOptions? options = null) =>
        FSharp.Driver.connectWith(options ?? ClusterOptions.Default, shards.NotNull(), cluster.NotNull());

    /// <inheritdoc cref="FSharp.Driver.risk"/>
    public static EmpiricalRisk Risk(this Driver driver, string name) =>
        FSharp.Driver.risk(name.NotNull(), driver.NotNull());

    /// <inheritdoc cref="FSharp.Risk.withGroups"/>
    public static EmpiricalRisk WithGroups(
        this EmpiricalRisk risk, int groups, Func<int, IEnumerable<Batch>> batchesOf) =>
        FSharp.Risk.withGroups(groups, batchesOf.ToFSharp(), risk.NotNull());
}

using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Curvature;

/// <summary>Puts a grain on the silo that its key names.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class OnSilo : PlacementStrategy;

/// <summary>A grain whose key is the address of its silo.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnSiloAttribute() : PlacementAttribute(new OnSilo());

/// <summary>Raises where the silo is not there, so that a message never goes to another.</summary>
internal sealed class OnSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(silo)
            ? Task.FromResult(silo)
            : throw new OrleansException($"{silo} is not there");
    }
}

namespace Curvature;

/// <summary>Errors of this assembly.</summary>
internal static class Fail
{
    internal static ClusterException Cluster(string message, Exception? inner = null) => new(message, inner);

    internal static ArgumentRangeException Range(string message) => new(message);
}

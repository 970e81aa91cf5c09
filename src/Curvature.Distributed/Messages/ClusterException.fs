namespace Curvature

/// Workers that cannot be reached, do not agree with the driver, or send what is not a message of this library.
type ClusterException(message: string, inner: exn | null) =
    inherit CurvatureException(message, inner)
    new(message: string) = ClusterException(message, null)

namespace Curvature.FSharp

open Curvature

module internal ClusterFail =

    /// Raises a ClusterException.
    let cluster (message: string) : 'T = raise (ClusterException message)

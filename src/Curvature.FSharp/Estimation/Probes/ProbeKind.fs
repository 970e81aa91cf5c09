namespace Curvature.FSharp

open Curvature

/// Kinds of probes.
module internal ProbeKind =

    /// Whether vectors of a probe look the same in every basis: then coincidences have probability 0.
    let isContinuous (probe: Probe) =
        match probe with
        | Probe.Gaussian
        | Probe.Sphere -> true
        | _ -> false

namespace Curvature.Tests.Unit

open System
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The estimators of a trace from a low-rank approximation, and operators for them.
module LowRankTraceCases =

    let key = Key.OfSeed 60L
    /// For A-Hutch++, which stops by itself.
    let unlimited = StoppingRule.matvecs Int32.MaxValue
    let diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)
    let spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd

    /// Every estimator of the trace, with a number of products.
    let estimators: (string * (int -> Key -> LinearOperator -> Estimate<float>)) list =
        [
            "Hutch++", StoppingRule.matvecs >> HutchPlusPlus.estimate
            "Hutch++ of the sphere", StoppingRule.matvecs >> Estimate.run (HutchPlusPlus.withProbe Probe.sphere)
            "NA-Hutch++", StoppingRule.matvecs >> NonadaptiveHutchPlusPlus.estimate
            "XTrace", StoppingRule.matvecs >> XTrace.estimate
            "XTrace of signs", StoppingRule.matvecs >> Estimate.run (XTrace.withProbe Probe.rademacher)
            "XNysTrace", StoppingRule.matvecs >> XNysTrace.estimate
            "XNysTrace of signs", StoppingRule.matvecs >> Estimate.run (XNysTrace.withProbe Probe.rademacher)
        ]

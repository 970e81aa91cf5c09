namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// What a posterior says of targets at some inputs, from samples: outputs for Gaussian targets, probabilities for
/// classes.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SampledPredictive internal (shape: int[], running: RunningVectorMoments) =
    let shaped (t: Tensor) = Tensor.reshape (List.ofArray shape) t

    /// The number of draws.
    member _.Draws = running.Count

    /// The mean over draws, Float64 [N; C].
    member _.Mean: Tensor = shaped running.Mean

    /// The standard errors of the means, Float64 [N; C], which fall like one over the root of the number of draws.
    member _.StandardError: Tensor = shaped running.StandardError

    /// The variance over draws, Float64 [N; C]: how unsure the posterior is, without noise of targets.
    member _.Variance: Tensor = float running.Count * Tensor.square (shaped running.StandardError)

    override this.ToString() =
        let inputs, draws = Describe.count shape[0] "input", Describe.count running.Count "draw"
        let range = Describe.numbers Numbers.error (this.StandardError.ToArray())
        $"predictive means at {inputs} from {draws}, standard errors {range}"

    member internal this.Text = this.ToString()

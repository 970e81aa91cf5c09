namespace Curvature.FSharp

open Curvature

/// Estimates for those who do not want to choose.
[<RequireQualifiedAccess>]
module Automatic =

    /// Bytes that vectors which are kept may take, unless another number is given: 4 GiB.
    let memory = 1L <<< 32

    let private semidefinite name start : SketchCandidate<'T> =
        {
            Name = name
            Claim = "the operator claims to be semidefinite"
            Fits = _.IsPositiveSemidefinite
            Begin = start
        }

    let private other name fits start : SketchCandidate<'T> =
        {
            Name = name
            Claim = "the operator does not claim to be semidefinite"
            Fits = fits
            Begin = start
        }

    let private ofTrace: AutomaticGoal<Estimate<float>> =
        let byXNysTrace key operator : BegunSketch<Estimate<float>> =
            let sketch = XNysTraceIncremental(operator, Probe.Rademacher, key)

            {
                Incremental = sketch
                Spread = fun () -> sketch.Spread
                PlainSpread = fun () -> sketch.PlainSpread
                Outside = sketch.Outside
                Samples = fun () -> sketch.SampleBlocks
                Rank = fun () -> 0.0
            }

        let byXTrace key operator : BegunSketch<Estimate<float>> =
            let sketch = XTraceIncremental(operator, RangeSketch("XTrace", operator, operator, Probe.Rademacher, key))

            {
                Incremental = sketch
                Spread = fun () -> sketch.Spread
                PlainSpread = fun () -> sketch.PlainSpread
                Outside = sketch.Outside
                Samples = fun () -> sketch.SampleBlocks
                Rank = fun () -> sketch.EffectiveRank
            }

        {
            Name = "Automatic.trace"
            Candidates = [ semidefinite "XNysTrace" byXNysTrace; other "XTrace" (fun _ -> true) byXTrace ]
            WithoutCandidate = ""
            Plain = Measurement.trace
        }

    let private ofDiagonal: AutomaticGoal<Estimate<Tensor>> =
        let byXNysDiag key operator : BegunSketch<Estimate<Tensor>> =
            let sketch = XNysDiagIncremental(DiagonalGoal.entries operator, operator, Probe.Rademacher, key)

            {
                Incremental = sketch
                Spread = fun () -> sketch.Spread
                PlainSpread = fun () -> sketch.PlainSpread
                Outside = sketch.Outside
                Samples = fun () -> Seq.empty
                Rank = fun () -> 0.0
            }

        let byXDiag key (operator: LinearOperator) : BegunSketch<Estimate<Tensor>> =
            let range = RangeSketch("XDiag", operator, operator.Transposed, Probe.Rademacher, key)
            let sketch = XDiagIncremental(DiagonalGoal.entries operator, operator, range)

            {
                Incremental = sketch
                Spread = fun () -> sketch.Spread
                PlainSpread = fun () -> sketch.PlainSpread
                Outside = sketch.Outside
                Samples = fun () -> Seq.empty
                Rank = fun () -> 0.0
            }

        let hasTranspose (operator: LinearOperator) = (LinearOperator.AdjointOf operator.Definition).IsSome

        {
            Name = "Automatic.diagonal"
            Candidates = [ semidefinite "XNysDiag" byXNysDiag; other "XDiag" hasTranspose byXDiag ]
            WithoutCandidate = "the products of the transpose are not known"
            Plain = Measurement.diagonal
        }

    /// The estimator of `trace`, with another number of bytes for vectors that are kept.
    let internal traceEstimator (memory: int64) : Estimator<ChosenEstimate<float>> =
        AutomaticEstimator.make ofTrace memory

    /// The estimator of `diagonal`, with another number of bytes for vectors that are kept.
    let internal diagonalEstimator (memory: int64) : Estimator<ChosenEstimate<Tensor>> =
        AutomaticEstimator.make ofDiagonal memory

    /// `trace` with another number of bytes for vectors that are kept, and options for cancellation, progress and block
    /// size.
    let traceWith (options: RunOptions) memory stop key (operator: LinearOperator) : ChosenEstimate<float> =
        Estimate.runWith options (traceEstimator memory) stop key operator

    /// The trace of a square operator by the method that fits it, and why that was taken. It begins with XNysTrace where
    /// the operator claims to be semidefinite, and with XTrace elsewhere, from signs. These are samples of Hutchinson's
    /// estimator too, and of both results it is the one with the smaller error that counts. Where the rule has an error
    /// to reach, it compares at each look (after 16, 24, 32, 40, 48, 64 … products) what more vectors are expected to
    /// cost, by how the error fell, with sampling what the vectors so far have missed, or everything (by quadratic forms,
    /// where the operator has them), and with taking all columns. Of a number of products XTrace is left for samples
    /// where the operator seems to have more large eigenvalues than there will be vectors. Hutchinson's estimator is
    /// taken where there is no memory to keep vectors (4 GiB). All columns are taken at once where the rule allows as
    /// many products and is a number of them, or there are at most 16.
    /// Raises OperatorException for an operator that is not square, or whose products contradict its claims, and
    /// NonFiniteException for products that are NaN or infinite.
    let trace stop key operator : ChosenEstimate<float> = traceWith RunOptions.Default memory stop key operator

    /// `diagonal` with another number of bytes for vectors that are kept, and options for cancellation, progress and
    /// block size.
    let diagonalWith (options: RunOptions) memory stop key (operator: LinearOperator) : ChosenEstimate<Tensor> =
        Estimate.runWith options (diagonalEstimator memory) stop key operator

    /// The diagonal of a square operator, Float64 [n], by the method that fits it, and why that was taken: as `trace`,
    /// between XNysDiag or XDiag, sampling with signs what these have missed, and all columns. Hutchinson's estimator is
    /// taken where there is no memory to keep vectors (4 GiB), or the transpose is not known. A rule on errors looks at
    /// the norms of values and standard errors.
    /// Raises OperatorException for an operator that is not square, or whose products contradict its claims, and
    /// NonFiniteException for products that are NaN or infinite.
    let diagonal stop key operator : ChosenEstimate<Tensor> = diagonalWith RunOptions.Default memory stop key operator

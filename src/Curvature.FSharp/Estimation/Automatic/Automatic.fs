namespace Curvature.FSharp

open Curvature

/// Estimates for those who do not want to choose.
[<RequireQualifiedAccess>]
module Automatic =

    /// Bytes that vectors which are kept may take, unless another number is given: 4 GiB.
    let memory = 1L <<< 32

    /// An estimator made of others, which says what it took and why. Of those that keep vectors (XTrace, XNysTrace,
    /// XDiag, XNysDiag) it begins with the first that fits the operator; from signs, their vectors are samples too.
    /// Where the rule has an error to reach, it compares at interim analyses (after 16, 24, 32, 40, 48, 64 …
    /// products) what more vectors are expected to cost, by how the error fell, with sampling what the vectors so far
    /// have missed, or everything (by quadratic forms, where the operator has them), and with taking all columns. Of
    /// a number of products, vectors that cost two each are left for samples where the operator seems to have more
    /// large eigenvalues than there will be vectors. Hutchinson's estimator, of which there must be one, is taken
    /// where no other fits, or its vectors do not fit into `memory` bytes. All columns are taken at once where the
    /// rule allows as many products and is a number of them, or there are at most 16.
    /// Raises ArgumentRangeException for a negative memory, for candidates without Hutchinson's estimator or with two
    /// of it, and for those that divide or plan their products themselves, as Hutch++ does.
    let among (memory: int64) (candidates: Estimator<Estimate<'T>> list) : Estimator<ChosenEstimate<'T>> =
        let candidates = Candidates.ofEstimators memory candidates

        Estimator
            {
                Name = "Automatic"
                Need = OperatorNeed.Square
                Least = 1
                FirstStage = AnalysisSchedule.ofSketch.At 0
                Exact = candidates.Measurement.Exact |> Option.map (ExactResult.map Candidates.ofColumns)
                Procedure =
                    Procedure.Plan(fun rule key operator -> AutomaticIncremental(candidates, rule, key, operator))
            }

    /// The estimator of `trace`, whose vectors may take so many bytes: among XNysTrace, XTrace and Hutchinson's, all
    /// with signs. Raises ArgumentRangeException for a negative number.
    let traceEstimator (memory: int64) : Estimator<ChosenEstimate<float>> =
        [
            XNysTrace.withProbe Probe.rademacher
            XTrace.withProbe Probe.rademacher
            Hutchinson.estimator Probe.rademacher Measurement.trace
        ]
        |> among memory
        |> Estimator.named "Automatic.trace"

    /// The estimator of `diagonal`, whose vectors may take so many bytes: among XNysDiag, XDiag and Hutchinson's, all
    /// with signs. Raises ArgumentRangeException for a negative number.
    let diagonalEstimator (memory: int64) : Estimator<ChosenEstimate<Tensor>> =
        [
            XNysDiag.withProbe Probe.rademacher
            XDiag.withProbe Probe.rademacher
            Hutchinson.estimator Probe.rademacher Measurement.diagonal
        ]
        |> among memory
        |> Estimator.named "Automatic.diagonal"

    /// The trace of a square operator by the method that fits it, and why that was taken; see `among`. It begins with
    /// XNysTrace where the operator claims to be semidefinite, and with XTrace elsewhere. Vectors may take 4 GiB.
    /// Raises OperatorException for an operator that is not square, or whose products contradict its claims, and
    /// NonFiniteException for products that are NaN or infinite.
    let trace stop key operator : ChosenEstimate<float> = Estimate.run (traceEstimator memory) stop key operator

    /// The diagonal of a square operator, Float64 [n], by the method that fits it, and why that was taken; see
    /// `among`. It begins with XNysDiag where the operator claims to be semidefinite, with XDiag elsewhere where the
    /// transpose is known. Vectors may take 4 GiB. A rule on errors compares the norms of values and standard
    /// errors. Raises OperatorException for an operator that is not square, or whose products contradict its claims,
    /// and NonFiniteException for products that are NaN or infinite.
    let diagonal stop key operator : ChosenEstimate<Tensor> = Estimate.run (diagonalEstimator memory) stop key operator

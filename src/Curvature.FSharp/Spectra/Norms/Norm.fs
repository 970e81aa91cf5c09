namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// The largest singular value of an operator in a Krylov space.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectralNorm internal (value: float, steps: int, bound: float -> float, ledger: Ledger) =
    /// The largest singular value in the Krylov space: never more than that of the operator, but for rounding.
    member _.Value = value

    /// How many steps of Lanczos' recurrence there were.
    member _.Steps = steps

    /// From the value up to what the norm exceeds with a probability of at most 1 − confidence, over the random start,
    /// whatever the operator: infinite where the steps were too few to tell. Raises ArgumentRangeException for a
    /// confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"a confidence lies between 0 and 1, and this one is {confidence}"

        Interval(value, (if ledger.IsExact then value else bound confidence), confidence)

    /// What it cost, and why it ended there.
    member _.Ledger = ledger

    /// How many products with the operator and its transpose were taken.
    member _.Matvecs = ledger.Matvecs

    /// Whether the Krylov space was complete.
    member _.IsExact = ledger.IsExact

    override _.ToString() =
        let taken, high = Describe.count steps "step", bound 0.95

        if ledger.IsExact then
            $"{Numbers.show value} (exact up to rounding, {taken})"
        elif Double.IsFinite high then
            $"{Numbers.show value}, at most {Numbers.show high} with 95 %% confidence ({taken})"
        else
            $"{Numbers.show value} at least ({taken})"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Norms of operators, which need not be square.
[<RequireQualifiedAccess>]
module Norm =

    /// ‖A‖_F from signs: the root of E ‖Az‖², one product each. The error bar is that of ‖A‖²_F, carried through the
    /// root.
    let frobenius stop key (operator: LinearOperator) : Estimate<float> =
        Hutchinson.estimate Probe.rademacher Measurement.frobenius stop key operator

    /// The norm of each row of A, Float64 [m], from signs: the roots of E (Az)ᵢ², one product each.
    let rowNorms stop key (operator: LinearOperator) : Estimate<Tensor> =
        Hutchinson.estimate Probe.rademacher Measurement.rowNorms stop key operator

    /// The symmetric operator that Lanczos runs on, and how its eigenvalues give the norm.
    [<NoEquality; NoComparison>]
    type private Problem =
        {
            Operator: LinearOperator
            /// The norm, if this is the largest eigenvalue in magnitude.
            Norm: float -> float
            /// Products with A in one step.
            Cost: int
            /// The share by which the norm may exceed the value where the eigenvalue of a semidefinite operator may by
            /// a share.
            Excess: float -> float
            /// The steps that count when Lanczos took so many: for an indefinite operator, those with its square.
            Counted: int -> int
        }

    let private root (share: float) = 1.0 / Math.Sqrt(1.0 - share)

    let private problem (a: LinearOperator) : Problem =
        if a.IsPositiveSemidefinite then
            {
                Operator = a
                Norm = abs
                Cost = 1
                Excess = (fun share -> 1.0 / (1.0 - share))
                Counted = id
            }
        elif a.IsSymmetric then
            {
                Operator = a
                Norm = abs
                Cost = 1
                Excess = root
                Counted = fun k -> (k + 1) / 2
            }
        else
            {
                Operator = LinearOperator.gram a
                Norm = (max 0.0 >> sqrt)
                Cost = 2
                Excess = root
                Counted = id
            }

    /// With k steps on a semidefinite operator of size n, the largest Ritz value falls short of the largest eigenvalue
    /// by more than a share ε of it with probability at most 1.648·√n·exp(−√ε·(2k − 1)) (Kuczyński & Woźniakowski 1992,
    /// theorem 4.2): ε at a probability δ.
    let private shortfall n k (delta: float) = Math.Pow(log (1.648 * sqrt (float n) / delta) / float (2 * k - 1), 2.0)

    /// The steps after which the norm exceeds the value by at most a share, but for a probability.
    let private stepsFor (problem: Problem) n (relativeError: float) delta =
        let enough k =
            let share = shortfall n (problem.Counted k) delta
            share < 1.0 && problem.Excess share <= 1.0 + relativeError

        // The shortfall falls with the square of k, so that doubling and halving the range finds the first k.
        let rec upper k = if k >= n || enough k then min k n else upper (2 * k)

        let rec search low high =
            if high - low <= 1 then
                high
            else
                let middle = (low + high) / 2
                if enough middle then search low middle else search middle high

        search 0 (upper 1)

    /// Ritz values of the Krylov space of a random vector, and whether the space was exhausted.
    let private lanczos (options: RunOptions) (key: Key) steps (a: LinearOperator) : struct (float[] * bool) =
        options.Cancellation.ThrowIfCancellationRequested()
        let start = Probe.drawOn a.Device Probe.Gaussian key a.Columns (0, 1) a.DType |> Tensor.flatten
        let space = Krylov.from start steps a
        let goOn () = space.Size = 0 || not options.Cancellation.IsCancellationRequested
        Krylov.advance a (fun _ -> "the Lanczos vector") steps [| space |] goOn |> ignore
        space.CheckSymmetry()
        struct (space.Ritz.Values, space.IsInvariant)

    /// `spectral` at another confidence, with options for cancellation.
    let spectralWith
        (options: RunOptions)
        (confidence: float)
        (relativeError: float)
        key
        (operator: LinearOperator)
        : SpectralNorm =
        if not (relativeError > 0.0 && Double.IsFinite relativeError) then
            Fail.range $"Norm.spectral: an error above 0 is needed, and it is {relativeError}"

        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"Norm.spectral: a confidence lies between 0 and 1, and this one is {confidence}"

        let watch = Diagnostics.Stopwatch.StartNew()
        let n = operator.Columns

        let finish value steps cost reason =
            let problem = problem operator
            let products = steps * cost
            let ledger = Ledgers.ofSamples steps (Cost.products products) watch.Elapsed.TotalSeconds reason

            let bound confidence =
                let share = shortfall n (problem.Counted steps) (1.0 - confidence)
                if share < 1.0 then value * problem.Excess share else infinity

            SpectralNorm(value, steps, bound, ledger)

        if n = 0 || operator.Rows = 0 then
            finish 0.0 0 0 StopReason.Exact
        else
            Checkpoint.keeping options operator (fun options operator ->
                let problem = problem operator
                let steps = stepsFor problem n relativeError (1.0 - confidence)
                let struct (values, exhausted) = lanczos options key steps problem.Operator

                let reason =
                    if exhausted then StopReason.Exact
                    elif values.Length < steps then StopReason.Cancelled
                    else StopReason.ErrorReached

                let largest = values |> Array.fold (fun most x -> max most (abs x)) 0.0
                finish (problem.Norm largest) values.Length problem.Cost reason)

    /// ‖A‖₂, the largest singular value, by Lanczos' method on AᵀA from a random vector (on A where it is symmetric),
    /// with as many steps as keep the relative error below this with 95 % confidence, whatever the spectrum (Kuczyński
    /// & Woźniakowski 1992, theorem 4.2): k of about ln(33√n)/√(8·error) + ½, such as 37 for 1 % and n = 10⁶; mostly
    /// the error is far smaller. Each step costs a product with A and one with Aᵀ; for a symmetric operator two steps
    /// of one product each count as one, and for a semidefinite one each step of one product counts. A Krylov space
    /// that is exhausted gives an exact result.
    /// Raises OperatorException where the transpose is needed and not known, and ArgumentRangeException for an error
    /// that is not above 0. Cancelled, it returns the norm in the Krylov space until then, with the interval of so many
    /// steps; before the first it raises OperationCanceledException.
    let spectral (relativeError: float) key (operator: LinearOperator) : SpectralNorm =
        spectralWith RunOptions.Default 0.95 relativeError key operator

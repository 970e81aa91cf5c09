/// What a dense decomposition says of small operators.
module Curvature.Tests.Unit.ExactDenseTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// QᵀDQ for a random orthogonal Q, in an element type.
let private turned (dtype: DType) (values: float[]) : LinearOperator =
    let q = Matrices.orthogonal 3 values.Length
    let scaled = Tensor.reshape [ values.Length; 1 ] (Tensor.ofArray [ values.Length ] values) * q
    let matrix = Tensor.matmul (Tensor.transpose q) scaled
    0.5 * (matrix + Tensor.transpose matrix) |> Tensor.convert dtype |> LinearOperator.ofSymmetricMatrix

let private values = Array.init 60 (fun i -> 0.5 + 0.25 * float i)

let private holds (estimate: Estimate<float>) (truth: float) =
    let interval = estimate.Interval 0.999999

    Expect.isTrue $"{truth} in {interval}; {estimate}" (interval.Low <= truth && truth <= interval.High)

[<Tests>]
let tests =
    testList "Unit.ExactDenseTests" [
        test "eigenvalues are those of the matrix, within rounding of the element type" {
            for dtype in [ DType.Float64; DType.Float32 ] do
                let found = Exact.eigenvalues (turned dtype values)
                let error = (Tensor.max found.StandardError).ToScalar()
                let worst = Array.map2 (fun (a: float) b -> abs (a - b)) values (found.Value.ToArray()) |> Array.max
                Expect.isLessThan "worst" (worst, 5.0 * error)
                Expect.isLessThan "error" (error, (if dtype = DType.Float64 then 1e-13 else 1e-4))
                Expect.isTrue "found.IsExact" found.IsExact
                Expect.equal "found.Matvecs" 60 found.Matvecs
        }

        test "the log-determinant is the sum of logarithms, and 0 for no columns" {
            for dtype in [ DType.Float64; DType.Float32 ] do
                holds (Exact.logDeterminant (turned dtype values)) (Array.sumBy log values)

            let empty = LinearOperator.ofDiagonal (Tensor.zeros DType.Float64 [ 0 ])
            Expect.equal "(Exact.logDeterminant empty).Va…" 0.0 (Exact.logDeterminant empty).Value
        }

        test "the condition number is that of the singular values, also of a matrix that is not symmetric" {
            let ratio = Array.last values / values[0]

            for dtype in [ DType.Float64; DType.Float32 ] do
                holds (Exact.conditionNumber (turned dtype values)) ratio

            let left, right = Matrices.orthogonal 1 60, Matrices.orthogonal 2 60
            let scaled = Tensor.reshape [ 60; 1 ] (Tensor.ofArray [ 60 ] values) * right
            holds (Exact.conditionNumber (LinearOperator.ofMatrix (Tensor.matmul (Tensor.transpose left) scaled))) ratio
        }

        test "what has no such number is refused with a word on why" {
            let refuses (fragment: string) (work: unit -> obj) =
                let message =
                    try
                        string (work ())
                    with :? CurvatureException as error ->
                        error.Message

                Expect.stringContains "message" fragment message

            let indefinite = LinearOperator.ofDiagonal (tensor [ 1.0; -1.0 ])
            let singular = LinearOperator.ofDiagonal (tensor [ 1.0; 1e-17 ])
            let large = LinearOperator.scalar DType.Float64 (Exact.largestDense + 1) 1.0
            let lopsided = LinearOperator.ofFunction DType.Float64 2 2 (fun v -> v * tensor [ 1.0; 2.0 ])
            refuses "positive definite" (fun () -> Exact.logDeterminant indefinite)
            refuses "positive definite" (fun () -> Exact.logDeterminant singular)
            refuses "singular up to rounding" (fun () -> Exact.conditionNumber singular)
            refuses "2,048" (fun () -> Exact.eigenvalues large)
            refuses "2,048" (fun () -> Exact.conditionNumber large)
            refuses "symmetric" (fun () -> Exact.eigenvalues lopsided)

            let wrong =
                LinearOperator.ofMatrix (tensor [ [ 1.0; 2.0 ]; [ 0.0; 1.0 ] ])
                |> LinearOperator.claim OperatorProperties.Symmetric

            refuses "not" (fun () -> Exact.eigenvalues wrong)
            let cancelled = RunOptions.Default.WithCancellation(CancellationToken true)

            raises<OperationCanceledException>(fun () -> Exact.eigenvaluesWith cancelled indefinite) |> ignore
        }

        test "a spectrum of all eigenvalues gives exact traces of functions and counts" {
            for dtype in [ DType.Float64; DType.Float32 ] do
                let sample = Spectrum.exact (turned dtype values)
                holds (StochasticLanczos.logDeterminant sample) (Array.sumBy log values)
                holds (StochasticLanczos.traceOfInverse sample) (values |> Array.sumBy (fun x -> 1.0 / x))
                holds (StochasticLanczos.trace (fun x -> x * x) sample) (values |> Array.sumBy (fun x -> x * x))
                holds (CumulativeDensity.count (0.6, 3.1) sample) 10.0
                Expect.isTrue "(StochasticLanczos.logDetermina…" (StochasticLanczos.logDeterminant sample).IsExact
                let density = SpectralDensity.ofSample (Smoothing.gaussian 0.5) sample
                Expect.equal "density.StandardErrors" (Array.zeroCreate density.Grid.Length) density.StandardErrors
        }

        test "the automatic spectrum is exact where that takes no more products" {
            let operator, key = turned DType.Float64 values, Key.OfSeed 4L
            let exact = Spectrum.automatic 2 30 key operator
            Expect.isTrue "exact.Ledger.IsExact" exact.Ledger.IsExact
            Expect.equal "exact.Ledger.Matvecs" 60 exact.Ledger.Matvecs
            let sampled, plain = Spectrum.automatic 2 29 key operator, StochasticLanczos.sample 2 29 key operator
            Expect.isFalse "sampled.Ledger.IsExact" sampled.Ledger.IsExact
            Expect.equal "sampled.Rules[1].Nodes" plain.Rules[1].Nodes sampled.Rules[1].Nodes
        }
    ]

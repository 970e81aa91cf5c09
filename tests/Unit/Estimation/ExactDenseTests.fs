namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// What a dense decomposition says of small operators.
module ExactDenseTests =

    /// QᵀDQ for a random orthogonal Q, in an element type.
    let private turned (dtype: DType) (values: float[]) : LinearOperator =
        let q = Matrices.orthogonal 3 values.Length
        let scaled = Tensor.reshape [ values.Length; 1 ] (Tensor.ofArray [ values.Length ] values) * q
        let matrix = Tensor.matmul (Tensor.transpose q) scaled
        0.5 * (matrix + Tensor.transpose matrix) |> Tensor.convert dtype |> LinearOperator.ofSymmetricMatrix

    let private values = Array.init 60 (fun i -> 0.5 + 0.25 * float i)

    let private holds (estimate: Estimate<float>) (truth: float) =
        let interval = estimate.Interval 0.999999

        Assert.That(interval.Low <= truth && truth <= interval.High, Is.True, $"{truth} in {interval}; {estimate}")

    [<Test>]
    let ``eigenvalues are those of the matrix, within rounding of the element type`` () =
        for dtype in [ DType.Float64; DType.Float32 ] do
            let found = Exact.eigenvalues (turned dtype values)
            let error = (Tensor.max found.StandardError).ToScalar()
            let worst = Array.map2 (fun (a: float) b -> abs (a - b)) values (found.Value.ToArray()) |> Array.max
            Assert.That(worst, Is.LessThan(5.0 * error))
            Assert.That(error, Is.LessThan((if dtype = DType.Float64 then 1e-13 else 1e-4)))
            Assert.That(found.IsExact, Is.True)
            Assert.That(found.Matvecs, Is.EqualTo 60)

    [<Test>]
    let ``the log-determinant is the sum of logarithms, and 0 for no columns`` () =
        for dtype in [ DType.Float64; DType.Float32 ] do
            holds (Exact.logDeterminant (turned dtype values)) (Array.sumBy log values)

        let empty = LinearOperator.ofDiagonal (Tensor.zeros DType.Float64 [ 0 ])
        Assert.That((Exact.logDeterminant empty).Value, Is.EqualTo 0.0)

    [<Test>]
    let ``the condition number is that of the singular values, also of a matrix that is not symmetric`` () =
        let ratio = Array.last values / values[0]

        for dtype in [ DType.Float64; DType.Float32 ] do
            holds (Exact.conditionNumber (turned dtype values)) ratio

        let left, right = Matrices.orthogonal 1 60, Matrices.orthogonal 2 60
        let scaled = Tensor.reshape [ 60; 1 ] (Tensor.ofArray [ 60 ] values) * right
        holds (Exact.conditionNumber (LinearOperator.ofMatrix (Tensor.matmul (Tensor.transpose left) scaled))) ratio

    [<Test>]
    let ``what has no such number is refused with a word on why`` () =
        let refuses (fragment: string) (work: unit -> obj) =
            let message =
                try
                    string (work ())
                with :? CurvatureException as error ->
                    error.Message

            Assert.That(message, Does.Contain fragment)

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

    [<Test>]
    let ``a spectrum of all eigenvalues gives exact traces of functions and counts`` () =
        for dtype in [ DType.Float64; DType.Float32 ] do
            let sample = Spectrum.exact (turned dtype values)
            holds (StochasticLanczos.logDeterminant sample) (Array.sumBy log values)
            holds (StochasticLanczos.traceOfInverse sample) (values |> Array.sumBy (fun x -> 1.0 / x))
            holds (StochasticLanczos.trace (fun x -> x * x) sample) (values |> Array.sumBy (fun x -> x * x))
            holds (CumulativeDensity.count (0.6, 3.1) sample) 10.0
            Assert.That((StochasticLanczos.logDeterminant sample).IsExact, Is.True)
            let density = SpectralDensity.ofSample (Smoothing.gaussian 0.5) sample
            Expect.equal (Array.zeroCreate density.Grid.Length) density.StandardErrors

    [<Test>]
    let ``the automatic spectrum is exact where that takes no more products`` () =
        let operator, key = turned DType.Float64 values, Key.OfSeed 4L
        let exact = Spectrum.automatic 2 30 key operator
        Assert.That(exact.Ledger.IsExact, Is.True)
        Assert.That(exact.Ledger.Matvecs, Is.EqualTo 60)
        let sampled, plain = Spectrum.automatic 2 29 key operator, StochasticLanczos.sample 2 29 key operator
        Assert.That(sampled.Ledger.IsExact, Is.False)
        Expect.equal plain.Rules[1].Nodes sampled.Rules[1].Nodes

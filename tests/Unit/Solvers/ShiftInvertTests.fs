namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Smallest eigenvalues by conjugate gradients.
module ShiftInvertTests =

    /// QᵀDQ for a random orthogonal Q, rounded to an element type.
    let private turned (dtype: DType) (values: float[]) : Tensor =
        let q = Matrices.orthogonal 7 values.Length
        let scaled = Tensor.reshape [ values.Length; 1 ] (Tensor.ofArray [ values.Length ] values) * q
        let matrix = Tensor.matmul (Tensor.transpose q) scaled
        0.5 * (matrix + Tensor.transpose matrix) |> Tensor.convert dtype

    let private small = [| 0.001; 0.002; 0.003; 0.005; 0.008 |]

    /// A few small eigenvalues among many between 1 and 1000.
    let private stretched = Array.append small (Array.init 75 (fun i -> Math.Pow(10.0, 3.0 * float i / 74.0)))

    [<Test>]
    let ``the smallest eigenvalues are those of the dense matrix`` () =
        let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
        let pairs = ShiftInvert.smallest 0.0 5 operator
        Assert.That(pairs.AllConverged, Is.True)
        let dense = (Exact.eigenvalues operator).Value.ToArray()

        for i in 0..4 do
            Assert.That(pairs.Values[i], Is.EqualTo(dense[i]).Within 1e-9)
            Assert.That(abs (pairs.Values[i] - dense[i]), Is.LessThan(pairs.Residuals[i] + 1e-11))
            Assert.That(pairs.Residuals[i], Is.LessThan(1e-5 * dense[i]), string pairs)

        let gram = Tensor.matmul pairs.Vectors (Tensor.transpose pairs.Vectors)
        Expect.tensorsClose 1e-9 (Tensor.eye DType.Float64 5) gram

    [<Test>]
    let ``in Float32 they are within their residuals of those of the dense matrix`` () =
        let values = Array.append [| 0.5; 0.7; 1.1 |] (Array.init 57 (fun i -> 10.0 + float i))
        let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float32 values)
        let pairs = ShiftInvert.smallest 0.0 3 operator
        let dense = Exact.eigenvalues operator
        let rounding = (Tensor.max dense.StandardError).ToScalar()

        for i in 0..2 do
            let distance = abs (pairs.Values[i] - (dense.Value.ToArray())[i])
            Assert.That(distance, Is.LessThan(pairs.Residuals[i] + 5.0 * rounding), string pairs)
            Assert.That(pairs.Residuals[i], Is.LessThan(2e-3 * pairs.Values[i]), string pairs)

    [<Test>]
    let ``bounds hold where systems are solved loosely`` () =
        let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
        let search, solver = EigenOptions.Default.WithTolerance 1e-3, SolverOptions.Default.WithTolerance 1e-7
        let pairs = ShiftInvert.smallestWith search solver 0.0 2 operator

        for i in 0..1 do
            let distance = stretched |> Array.map (fun truth -> abs (pairs.Values[i] - truth)) |> Array.min
            Assert.That(distance, Is.LessThan pairs.Residuals[i], string pairs)
            // Neither does the bound say more than a loose solution knows.
            Assert.That(pairs.Residuals[i], Is.GreaterThan(1e-9 * pairs.Values[i]), string pairs)

        let looser = SolverOptions.Default.WithTolerance 1e-5

        raises<ArgumentRangeException>(fun () -> ShiftInvert.smallestWith search looser 0.0 2 operator) |> ignore

    [<Test>]
    let ``a singular operator is searched with a shift`` () =
        // The Laplacian of a path of 50 nodes: 2 − 2cos(πk/50).
        let laplacian =
            Array.init 2500 (fun at ->
                match at / 50, at % 50 with
                | i, j when i = j -> if i = 0 || i = 49 then 1.0 else 2.0
                | i, j when abs (i - j) = 1 -> -1.0
                | _ -> 0.0)
            |> Tensor.ofArray [ 50; 50 ]
            |> LinearOperator.ofSymmetricMatrix

        let pairs = ShiftInvert.smallest 0.01 4 laplacian

        for k in 0..3 do
            let truth = 2.0 - 2.0 * cos (Math.PI * float k / 50.0)
            Assert.That(abs (pairs.Values[k] - truth), Is.LessThan(pairs.Residuals[k] + 1e-13), string pairs)
            Assert.That(pairs.Residuals[k], Is.LessThan 1e-7)

    [<Test>]
    let ``what is not positive definite, or not solved, is an error that says so`` () =
        let refuses (fragment: string) (work: unit -> obj) =
            let error = raises<OperatorException> work
            Assert.That(error.Message, Does.Contain fragment)

        let indefinite = LinearOperator.ofSymmetricMatrix (turned DType.Float64 (Array.append [| -1.0 |] stretched))
        refuses "positive definite" (fun () -> ShiftInvert.smallest 0.0 2 indefinite)
        refuses "positive definite" (fun () -> ShiftInvert.smallest 0.5 2 indefinite)
        Assert.That((ShiftInvert.smallest 1.5 1 indefinite).Values[0], Is.EqualTo(-1.0).Within 1e-8)
        let definite = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
        let short = SolverOptions.Default.WithMaxIterations 3

        refuses "Allow more iterations" (fun () -> ShiftInvert.smallestWith EigenOptions.Default short 0.0 2 definite)

        raises<ArgumentRangeException>(fun () -> ShiftInvert.smallest nan 2 definite) |> ignore
        let cancelled = EigenOptions.Default.WithCancellation(CancellationToken true)

        raises<OperationCanceledException>(fun () ->
            ShiftInvert.smallestWith cancelled SolverOptions.Default 0.0 2 definite)
        |> ignore

    [<Test>]
    let ``products with the operator itself are counted`` () =
        let mutable products = 0
        let matrix = turned DType.Float64 stretched

        let operator =
            LinearOperator.ofBlockFunction DType.Float64 80 80 (fun block ->
                products <- products + block.Shape[0]
                Tensor.matmul block matrix)
            |> LinearOperator.claim OperatorProperties.Symmetric

        let pairs = ShiftInvert.smallest 0.0 3 operator
        Assert.That(pairs.Matvecs, Is.EqualTo products)

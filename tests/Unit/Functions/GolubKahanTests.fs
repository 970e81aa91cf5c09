module Curvature.Tests.Unit.GolubKahanTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A matrix of some shape with these singular values.
let private withSingularValues rows columns (values: float[]) : Tensor =
    let left = Matrices.orthogonal 51 rows |> Tensor.slice 0 0 values.Length
    let right = Matrices.orthogonal 52 columns |> Tensor.slice 0 0 values.Length
    let column = Tensor.ofArray [ values.Length; 1 ] values
    Tensor.matmul (Tensor.transpose left) (column * right)

let private spectra count : (string * float[]) list =
    [
        "flat", Array.init count (fun i -> 2.0 - float i / float count)
        "decaying", Array.init count (fun i -> Math.Pow(0.6, float i))
        "low rank", Array.init count (fun i -> if i < 4 then float (4 - i) else 0.0)
        "outlier", Array.init count (fun i -> if i = 0 then 1000.0 else 1.0 / float i)
    ]

let private dense (matrix: Tensor) =
    let _, values, _ = Tensor.svd (Tensor.convert DType.Float64 matrix)
    values.ToArray()

let private orthonormal tolerance (vectors: Tensor) =
    let wide = Tensor.convert DType.Float64 vectors
    Expect.tensorsClose tolerance (Tensor.eye DType.Float64 wide.Shape[0]) (Tensor.matmul wide (Tensor.transpose wide))

let private norms (block: Tensor) =
    let wide = Tensor.convert DType.Float64 block
    (Tensor.sqrt (Tensor.sumAxes [ 1 ] (Tensor.square wide))).ToArray()

/// Every claim about a triplet holds: its residuals, and that a singular value is as near as the error.
let private holds (matrix: Tensor) (found: SingularTriplets) =
    let wide = Tensor.convert DType.Float64
    let a, u, v = wide matrix, wide found.Left, wide found.Right
    let sigma = Tensor.ofArray [ found.Values.Length; 1 ] found.Values
    let ofLeft = norms (Tensor.matmul v (Tensor.transpose a) - sigma * u)
    let ofRight = norms (Tensor.matmul u a - sigma * v)
    let truth = dense matrix
    // The dense decomposition is rounded too.
    let rounding = 2.2e-16 * float (max a.Shape[0] a.Shape[1]) * Array.max truth
    let distance (x: float) = (truth |> Array.map (fun y -> abs (x - y)) |> Array.min) - rounding

    for i in 0 .. found.Values.Length - 1 do
        Expect.isLessThanOrEqual $"‖Av − σu‖ of {found.Values[i]}" (ofLeft[i], found.LeftResiduals[i])
        Expect.isLessThanOrEqual $"‖Aᵀu − σv‖ of {found.Values[i]}" (ofRight[i], found.RightResiduals[i])
        Expect.isLessThanOrEqual $"the distance of {found.Values[i]}" (distance found.Values[i], found.Errors[i])

[<Tests>]
let tests =
    testList "Unit.GolubKahanTests" [
        for rows, columns in [ 60, 40; 40, 60; 40, 40 ] do
            test $"the largest triplets are those of the dense decomposition ({rows} × {columns})" {
                for name, values in spectra (min rows columns) do
                    let matrix = withSingularValues rows columns values

                    for count in [ 1; 3; 5 ] do
                        let found = GolubKahan.largest count (LinearOperator.ofMatrix matrix)
                        let isConverged = found.AllConverged || name = "low rank"
                        Expect.isTrue $"{name}, {count}: {found}" isConverged
                        Expect.close 1e-9 (Array.truncate count (dense matrix)) found.Values
                        orthonormal 1e-12 found.Left
                        orthonormal 1e-12 found.Right

                        Expect.equal
                            "shapes"
                            ([| count; rows |], [| count; columns |])
                            (found.Left.Shape, found.Right.Shape)

                        holds matrix found
            }

        test "Float32 to its digits" {
            for name, values in spectra 30 do
                let matrix = withSingularValues 50 30 values |> Tensor.convert DType.Float32
                let found = GolubKahan.largest 3 (LinearOperator.ofMatrix matrix)
                Expect.isTrue $"{name}: {found}" found.AllConverged
                Expect.close 1e-4 (Array.truncate 3 (dense matrix)) found.Values
                orthonormal 1e-5 found.Left
                orthonormal 1e-5 found.Right
        }

        test "all triplets of small matrices, down to one element" {
            for rows, columns in [ 1, 1; 1, 4; 4, 1; 3, 2; 5, 5 ] do
                let matrix = Matrices.random (10 * rows + columns) rows columns
                let count = min rows columns
                let found = GolubKahan.largest count (LinearOperator.ofMatrix matrix)
                Expect.isTrue $"{found}" found.AllConverged
                Expect.close 1e-12 (dense matrix) found.Values
                holds matrix found
        }

        test "an operator of zeros has singular values of zero with orthonormal vectors" {
            let found = GolubKahan.largest 2 (LinearOperator.zero DType.Float64 6 4)
            Expect.close 0.0 [| 0.0; 0.0 |] found.Values
            orthonormal 1e-13 found.Left
            orthonormal 1e-13 found.Right
        }

        test "restarts find what one large basis finds" {
            let matrix = withSingularValues 120 90 (Array.init 90 (fun i -> 1.0 / float (i + 1)))
            let options = EigenOptions.Default.WithBasisSize 8
            let small = GolubKahan.largestWith options 3 (LinearOperator.ofMatrix matrix)
            let large = GolubKahan.largestWith (options.WithBasisSize 90) 3 (LinearOperator.ofMatrix matrix)
            Expect.isTrue $"{small}" small.AllConverged
            Expect.close 1e-12 large.Values small.Values
            holds matrix small
        }

        test "products are counted, and their limit is kept but for the residuals" {
            let mutable multiplied = 0
            let matrix = withSingularValues 60 40 (Array.init 40 (fun i -> 2.0 - float i / 40.0))

            let counted (matrix: Tensor) (block: Tensor) =
                multiplied <- multiplied + block.Shape[0]
                Tensor.matmul block matrix

            let a =
                LinearOperator.ofBlockFunction DType.Float64 60 40 (counted (Tensor.transpose matrix))
                |> LinearOperator.withTranspose (counted matrix)

            let found = GolubKahan.largestWith (EigenOptions.Default.WithMaximumMatvecs 12) 3 a
            Expect.equal "products" (multiplied, 12 + 6) (found.Matvecs, found.Matvecs)
            Expect.isFalse $"{found}" found.AllConverged
            Expect.stringContains "unfinished" "(not converged)" (string found)
            holds matrix found
        }

        test "cancelling returns the best triplets so far" {
            use source = new CancellationTokenSource()
            let matrix = withSingularValues 60 40 (Array.init 40 (fun i -> 2.0 - float i / 40.0))

            let a =
                LinearOperator.ofBlockFunction DType.Float64 60 40 (fun block ->
                    source.Cancel()
                    Tensor.matmul block (Tensor.transpose matrix))
                |> LinearOperator.withTranspose (fun block -> Tensor.matmul block matrix)

            let found = GolubKahan.largestWith (EigenOptions.Default.WithCancellation source.Token) 3 a
            Expect.isTrue $"{found}" (found.IsCancelled && found.Values.Length = 1)
        }

        test "what does not fit is refused" {
            let a = LinearOperator.ofMatrix (Matrices.random 1 5 3)

            Expect.error<ArgumentRangeException> [ "4 singular triplets"; "has 3" ] (fun () ->
                GolubKahan.largest 4 a |> ignore)

            Expect.error<ArgumentRangeException> [ "0 singular triplets" ] (fun () -> GolubKahan.largest 0 a |> ignore)

            Expect.error<OperatorException> [ "transpose" ] (fun () ->
                GolubKahan.largest 1 (LinearOperator.ofBlockFunction DType.Float64 5 3 id) |> ignore)
        }
    ]

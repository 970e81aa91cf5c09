module Curvature.Tests.Unit.MatrixFunctionTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = FunctionCases.n
let private vector, block = FunctionCases.vectors 31
let private options = MatrixFunctionOptions.Default
let private exactly = options.WithTolerance(1e-15)

/// True errors beside those that are claimed, for each vector, after some numbers of products.
let private errors (dtype: DType) (options: MatrixFunctionOptions) (f: SpectralFunction) name =
    [
        for products in [ 1; 3; 6; 9; 12; 18; 27; n ] do
            let v = Tensor.convert dtype block
            let limited = options.WithTolerance(1e-15).WithMaximumMatvecs products
            let found = MatrixFunction.applyWith limited f (FunctionCases.operatorOf dtype name) v
            let truth = FunctionCases.truth dtype name f.Evaluate v
            let off = FunctionCases.rowNorms (truth - Tensor.convert DType.Float64 found.Value)

            for i in 0 .. off.Length - 1 do
                found.IsBound, off[i], found.Errors[i], $"{f} of {name} after {products} products, vector {i}"
    ]

let private statedBounds name =
    let values = FunctionCases.eigenvalues name
    let least, largest = Array.min values, Array.max values
    let margin = 1e-6 * (largest - least)
    let low = if least > 0.0 then max (0.5 * least) (least - margin) else least - margin
    SpectrumBounds.Unknown.WithLow(low).WithHigh(largest + margin)

let private cases =
    [
        for f, isDefined in FunctionCases.functions do
            for name, _ in FunctionCases.spectra do
                if isDefined name then f, name
    ]

[<Tests>]
let tests =
    testList "Unit.MatrixFunctionTests" [
        for dtype, tolerance in [ DType.Float64, 1e-6; DType.Float32, 1e-3 ] do
            test $"f(A)v is that of all eigenpairs, for one vector and for a block ({dtype})" {
                for f, name in cases do
                    let a = FunctionCases.operatorOf dtype name
                    let v = Tensor.convert dtype block
                    let found = MatrixFunction.apply f a v
                    // √ of eigenvalues that rounding makes of 0 is right to half of the digits.
                    let isRounded = f.Name = "sqrt" && not (FunctionCases.isPositive name) && dtype = DType.Float32
                    let tolerance = if isRounded then 3.0 * tolerance else tolerance
                    Expect.isTrue $"{found} on {name}" (found.IsConverged || dtype = DType.Float32)

                    if found.IsConverged || isRounded then
                        let truth = FunctionCases.truth dtype name f.Evaluate v
                        let off = FunctionCases.rowNorms (truth - Tensor.convert DType.Float64 found.Value)
                        let size = FunctionCases.rowNorms truth

                        for i in 0..4 do
                            Expect.isLessThanOrEqual $"{found} on {name}" (off[i], tolerance * size[i])

                    let one = MatrixFunction.apply f a (Tensor.item 0 0 v)
                    Expect.equal "the shape of one" [| n |] one.Value.Shape
                    let apart = (Tensor.norm (Tensor.item 0 0 found.Value - one.Value)).ToScalar()
                    Expect.isLessThanOrEqual $"{found} and {one}" (apart, found.Errors[0] + one.Errors[0])
            }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"where the end that matters is known, the error is never less than the true one ({dtype})" {
                let mutable bounds = 0

                for f, name in cases do
                    for isBound, off, claimed, what in errors dtype (options.WithBounds(statedBounds name)) f name do
                        if isBound then
                            bounds <- bounds + 1
                            Expect.isLessThanOrEqual what (off, claimed)

                Expect.isGreaterThan "how many were bounds" (bounds, 800)
            }

            test $"where nothing is stated, the error is an estimate that is rarely too small ({dtype})" {
                let all =
                    [
                        for f, name in cases do
                            yield! errors dtype options f name
                    ]

                let estimates =
                    all |> List.filter (fun (isBound, _, claimed, _) -> not isBound && Double.IsFinite claimed)

                let missed = estimates |> List.filter (fun (_, off, claimed, _) -> off > claimed)
                printfn $"{missed.Length} of {estimates.Length} finite estimates are less than the true error ({dtype})"

                for _, off, claimed, what in missed do
                    printfn $"  {what}: {off:E2} where {claimed:E2} is claimed"
                    Expect.isLessThanOrEqual what (off, 20.0 * claimed)

                Expect.isGreaterThan "estimates" (estimates.Length, 300)
                Expect.isLessThan "too small" (float missed.Length, 0.03 * float estimates.Length)
            }

        test "a bound is no more than the true error by what the lower end allows" {
            // On a flat spectrum, the remainder at the end of the spectrum is near that at the others.
            for f in
                [
                    SpectralFunction.log
                    SpectralFunction.sqrt
                    SpectralFunction.inverseSqrt
                    SpectralFunction.inverse
                ] do
                for _, off, claimed, what in errors DType.Float64 (options.WithBounds(statedBounds "flat")) f "flat" do
                    if off > 1e-12 then Expect.isLessThan what (claimed, 100.0 * off)
        }

        test "it stops at the tolerance, with fewer products for a larger one" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"

            let products tolerance =
                let found = MatrixFunction.applyWith (options.WithTolerance tolerance) SpectralFunction.sqrt a vector
                Expect.isTrue (string found) (found.IsConverged && found.RelativeErrors[0] <= tolerance)
                found.Matvecs

            Expect.isLessThan "products" (products 1e-2, products 1e-5)
            Expect.isLessThan "products" (products 1e-5, products 1e-10)
        }

        test "a limit of products is kept, and told" {
            let mutable multiplied = 0
            let matrix = FunctionCases.matrix "decaying"

            let counted =
                LinearOperator.ofBlockFunction DType.Float64 n n (fun block ->
                    multiplied <- multiplied + block.Shape[0]
                    Tensor.matmul block matrix)
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let found = MatrixFunction.applyWith (exactly.WithMaximumMatvecs 7) SpectralFunction.exp counted block
            Expect.equal "products" (35, 35) (found.Matvecs, multiplied)
            Expect.isFalse (string found) found.IsConverged
            Expect.equal "products of each" (Array.create 5 7) found.MatvecsByVector
        }

        test "vectors of zeros, of one element and of none" {
            let rows = Tensor.concat 0 [ Tensor.zeros DType.Float64 [ 1; n ]; Tensor.unsqueeze 0 vector ]
            let found = MatrixFunction.apply SpectralFunction.exp (FunctionCases.operatorOf DType.Float64 "flat") rows
            Expect.equal "error and products of zero" (0.0, 0) (found.Errors[0], found.MatvecsByVector[0])
            Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ n ]) (Tensor.item 0 0 found.Value)

            let one =
                MatrixFunction.apply
                    SpectralFunction.log
                    (FunctionCases.diagonal [ 4.0 ])
                    (Tensor.ofArray [ 1 ] [| 3.0 |])

            Expect.close 1e-15 [| 3.0 * log 4.0 |] (one.Value.ToArray())
            Expect.isTrue (string one) (one.IsConverged && one.IsBound && one.Matvecs = 1)

            let nothing =
                MatrixFunction.apply SpectralFunction.log (FunctionCases.diagonal []) (Tensor.zeros DType.Float64 [ 0 ])

            Expect.equal "nothing" (true, 0, 0) (nothing.IsConverged, nothing.Matvecs, nothing.Value.Size)
        }

        test "vectors of any length keep their digits" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let unit = MatrixFunction.apply SpectralFunction.sqrt a vector

            for size in [ 1e-200; 1e200 ] do
                let found = MatrixFunction.apply SpectralFunction.sqrt a (size * vector)
                Expect.tensorsClose 1e-13 unit.Value (found.Value / size)
                Expect.isTrue (string found) found.IsConverged
        }

        test "an operator outside of the domain is refused with the Ritz value that was found" {
            let indefinite = FunctionCases.operatorOf DType.Float64 "indefinite"

            for f in [ SpectralFunction.log; SpectralFunction.inverseSqrt; SpectralFunction.inverse ] do
                Expect.error<OperatorException> [ f.Name; "positive definite"; "Ritz value of -" ] (fun () ->
                    MatrixFunction.apply f indefinite vector |> ignore)

            Expect.error<OperatorException> [ "sqrt"; "positive semidefinite"; "Ritz value of -" ] (fun () ->
                MatrixFunction.apply SpectralFunction.sqrt indefinite vector |> ignore)

            let singular = FunctionCases.diagonal [ 0.0; 1.0; 2.0 ]

            Expect.caught<OperatorException>(fun () ->
                (MatrixFunction.operator SpectralFunction.log singular).Apply(Tensor.ones DType.Float64 [ 3 ])
                |> ignore)
            |> ignore
        }

        test "bounds that do not hold are refused" {
            let a = FunctionCases.operatorOf DType.Float64 "outlier"

            Expect.error<OperatorException> [ "Ritz value of"; "eigenvalues in [0, 5]" ] (fun () ->
                let wrong = options.WithBounds(SpectrumBounds.Unknown.WithLow(0.0).WithHigh 5.0)
                MatrixFunction.applyWith wrong SpectralFunction.exp a vector |> ignore)
        }

        test "what does not fit is refused" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let sqrt = SpectralFunction.sqrt

            Expect.error<OperatorException> [ "symmetric" ] (fun () ->
                MatrixFunction.apply sqrt (LinearOperator.ofMatrix (Matrices.random 1 n n)) vector |> ignore)

            Expect.error<ShapeException> [ "[40]"; "[3]" ] (fun () ->
                MatrixFunction.apply sqrt a (Tensor.ones DType.Float64 [ 3 ]) |> ignore)

            Expect.error<ShapeException> [ "Float32" ] (fun () ->
                MatrixFunction.apply sqrt a (Tensor.ones DType.Float32 [ n ]) |> ignore)

            Expect.error<NonFiniteException> [ "vector" ] (fun () ->
                MatrixFunction.apply sqrt a (Tensor.full DType.Float64 [ n ] nan) |> ignore)

            Expect.error<NonFiniteException> [ "pole"; "Ritz value" ] (fun () ->
                let pole = SpectralFunction.ofFunction "pole" (fun _ -> infinity)
                MatrixFunction.apply pole a vector |> ignore)

            Expect.error<ArgumentRangeException> [ "tolerance" ] (fun () -> options.WithTolerance 0.0 |> ignore)
            Expect.error<ArgumentRangeException> [ "product" ] (fun () -> options.WithMaximumMatvecs 0 |> ignore)
            Expect.error<ArgumentRangeException> [ "time" ] (fun () -> SpectralFunction.expOf 0.0 |> ignore)
        }

        test "f(A) is an operator: the square of the root, and the product of both exponentials" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let tight = options.WithTolerance 1e-11
            let root = MatrixFunction.operatorWith tight SpectralFunction.sqrt a
            let inverseRoot = MatrixFunction.operatorWith tight SpectralFunction.inverseSqrt a
            Expect.isTrue "the root is semidefinite" root.IsPositiveSemidefinite
            Expect.tensorsClose 1e-9 (LinearOperator.dense a) (LinearOperator.dense (root * root))
            Expect.tensorsClose 1e-9 (Tensor.eye DType.Float64 n) (LinearOperator.dense (root * inverseRoot))
            let log = MatrixFunction.operatorWith tight SpectralFunction.log a
            Expect.isFalse "a logarithm is not semidefinite" log.IsPositiveSemidefinite

            Expect.tensorsClose
                1e-8
                (LinearOperator.dense a)
                (LinearOperator.dense (MatrixFunction.operatorWith tight SpectralFunction.exp log))

            Expect.error<OperatorException> [ "sqrt of matrix"; "not within" ] (fun () ->
                (MatrixFunction.operatorWith (tight.WithMaximumMatvecs 2) SpectralFunction.sqrt a).Apply vector
                |> ignore)
        }

        test "cancelling returns what was found" {
            use source = new CancellationTokenSource()
            let matrix = FunctionCases.matrix "decaying"

            let a =
                LinearOperator.ofFunction DType.Float64 n n (fun v ->
                    source.Cancel()
                    Tensor.matmul matrix v)
                |> LinearOperator.claim OperatorProperties.Symmetric

            let found = MatrixFunction.applyWith (exactly.WithCancellation source.Token) SpectralFunction.exp a vector
            Expect.equal (string found) (true, false, 1) (found.IsCancelled, found.IsConverged, found.Matvecs)

            Expect.caught<OperationCanceledException>(fun () ->
                MatrixFunction.applyWith (exactly.WithCancellation source.Token) SpectralFunction.exp a vector
                |> ignore)
            |> ignore
        }
    ]

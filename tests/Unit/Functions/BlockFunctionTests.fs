module Curvature.Tests.Unit.BlockFunctionTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = FunctionCases.n

/// Four vectors, of which one is a combination of others, one is 0, and one is longer than the others.
let private block =
    let random = Matrices.random 35 4 n
    let combination = Tensor.item 0 0 random + 2.0 * Tensor.item 0 1 random
    let long = 1e3 * Tensor.item 0 3 random

    Tensor.stack 0 [
        Tensor.item 0 0 random
        Tensor.item 0 1 random
        combination
        Tensor.zeros DType.Float64 [ n ]
        long
    ]

let private options = MatrixFunctionOptions.Default

let private cases =
    [
        for f, isDefined in FunctionCases.functions do
            for name, _ in FunctionCases.spectra do
                if isDefined name then f, name
    ]

/// A few large eigenvalues beside many that lie close together.
let private clustered =
    lazy
        (let size = 200
         let values = Array.init size (fun i -> if i < 8 then 100.0 + 10.0 * float i else 1.0 + 0.01 * float i)

         Matrices.withEigenvalues (Matrices.orthogonal 36 size) values
         |> LinearOperator.ofSymmetricMatrix
         |> LinearOperator.claim OperatorProperties.PositiveSemidefinite)

[<Tests>]
let tests =
    testList "Unit.BlockFunctionTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"the errors of a block are not less than the true ones, whatever the steps ({dtype})" {
                let mutable claims, wrong = 0, []

                for f, name in cases do
                    let v = Tensor.convert dtype block
                    let truth = FunctionCases.truth dtype name f.Evaluate v

                    for steps in [ 1; 4; 8; 9; 10; 12; n ] do
                        let limited = options.WithTolerance(1e-15).WithMaximumMatvecs steps
                        let found = MatrixFunction.blockWith limited f (FunctionCases.operatorOf dtype name) v
                        let off = FunctionCases.rowNorms (truth - Tensor.convert DType.Float64 found.Value)

                        for row in 0 .. off.Length - 1 do
                            if Double.IsFinite found.Errors[row] then
                                claims <- claims + 1

                                if off[row] > found.Errors[row] then
                                    wrong <-
                                        $"{f} of {name}, {steps} steps, row {row}: {off[row]} > {found.Errors[row]}"
                                        :: wrong

                        if steps = n && dtype = DType.Float64 then
                            Expect.isTrue $"{f} of {name}: the whole space" (Array.forall Double.IsFinite found.Errors)

                printfn $"{claims} finite errors ({dtype})"
                Expect.isGreaterThan "errors that are known" (claims, 400)
                Expect.equal "errors that are too small" [] (List.truncate 5 wrong)
            }

        test "few eigenvalues apart from the others are found together in fewer products than one after the other" {
            let a, v = clustered.Value, Matrices.random 37 8 200

            for f in [ SpectralFunction.sqrt; SpectralFunction.log; SpectralFunction.inverse ] do
                let together, alone = MatrixFunction.block f a v, MatrixFunction.apply f a v
                Expect.isTrue (string together) together.IsConverged
                let distance = FunctionCases.rowNorms (together.Value - alone.Value) |> Array.max
                Expect.isLessThan "both are right" (distance, 1e-5 * (FunctionCases.rowNorms alone.Value |> Array.max))
                printfn $"{together}; one after the other {alone}"
                Expect.isLessThan $"{f}: products" (together.Matvecs, alone.Matvecs)
        }

        test "one vector, no vector and vectors of zeros" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let one = Tensor.item 0 0 block
            let expected = (MatrixFunction.apply SpectralFunction.exp a one).Value
            let found = MatrixFunction.block SpectralFunction.exp a one
            Expect.equal "shape" [| n |] found.Value.Shape
            Expect.tensorsClose 1e-5 expected found.Value
            let zeros = Tensor.zeros DType.Float64 [ 2; n ]
            let nothing = MatrixFunction.block SpectralFunction.exp a zeros
            Expect.tensorsClose 0.0 zeros nothing.Value
            Expect.equal "products" 0 nothing.Matvecs
            Expect.isTrue "done" nothing.IsConverged
            let none = MatrixFunction.block SpectralFunction.exp a (Tensor.zeros DType.Float64 [ 0; n ])
            Expect.equal "no rows" [| 0; n |] none.Value.Shape
        }

        test "what does not fit is refused, and cancelling ends it" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let apply f a v () = MatrixFunction.block f a v |> ignore
            let narrow = Tensor.ones DType.Float64 [ 2; 3 ]
            Expect.error<ShapeException> [ "[2; 3]" ] (apply SpectralFunction.exp a narrow)
            Expect.error<OperatorException> [ "log"; "Ritz value of -" ] (apply SpectralFunction.log (-1.0 * a) block)

            Expect.error<OperatorException>
                [ "claims to be symmetric" ]
                (Matrices.random 38 n n
                 |> LinearOperator.ofMatrix
                 |> LinearOperator.claim OperatorProperties.Symmetric
                 |> fun turned -> apply SpectralFunction.exp turned block)

            Expect.caught<OperationCanceledException>(fun () ->
                let cancelled = options.WithCancellation(CancellationToken true)
                MatrixFunction.blockWith cancelled SpectralFunction.exp a block |> ignore)
            |> ignore

            // On the way, what was reached until then is returned.
            use source = new CancellationTokenSource()
            let mutable products = 0

            let counted =
                LinearOperator.ofFunction DType.Float64 n n (fun v ->
                    products <- products + 1
                    if products = 3 then source.Cancel()
                    a.Apply v)
                |> LinearOperator.claim OperatorProperties.Symmetric

            let cut =
                MatrixFunction.blockWith (options.WithCancellation source.Token) SpectralFunction.exp counted block

            Expect.isTrue (string cut) cut.IsCancelled
        }
    ]
